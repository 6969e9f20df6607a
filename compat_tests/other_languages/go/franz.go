package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type franz struct{ bootstrap string }

var franzCodecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func (f franz) client(options ...kgo.Opt) (*kgo.Client, error) {
	soon := kgo.MetadataMinAge(100 * time.Millisecond) // how soon it looks for a broker that has gone
	return kgo.NewClient(append(options, kgo.SeedBrokers(f.bootstrap), soon)...)
}

func (f franz) write(ctx context.Context, topic, codec string, records []record) error {
	producer, err := f.client(kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(franzCodecs[codec]))
	if err != nil {
		return err
	}
	defer producer.Close()
	batch := make([]*kgo.Record, len(records))
	for n, each := range records {
		header := kgo.RecordHeader{Key: "number", Value: []byte(each.number)}
		batch[n] = &kgo.Record{Key: []byte(each.key), Value: []byte(each.value), Headers: []kgo.RecordHeader{header}}
	}
	return producer.ProduceSync(ctx, batch...).FirstErr()
}

func (f franz) read(ctx context.Context, topic string, count int) ([]record, error) {
	consumer, err := f.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	var records []record
	for len(records) < count {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			number := ""
			for _, header := range r.Headers {
				number = string(header.Value)
			}
			records = append(records, record{string(r.Key), string(r.Value), number})
		})
	}
	return records, nil
}

type franzMember struct {
	client *kgo.Client
	given  chan string
	stop   context.CancelFunc
	ended  chan struct{}
}

func (f franz) join(ctx context.Context, topic, group string) (member, error) {
	client, err := f.client(
		kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancel(ctx)
	m := &franzMember{client, make(chan string, 1000), stop, make(chan struct{})}
	go func() {
		defer close(m.ended)
		for reading.Err() == nil {
			client.PollFetches(reading).EachRecord(func(r *kgo.Record) { m.given <- string(r.Value) })
		}
	}()
	return m, nil
}

func (m *franzMember) values() <-chan string { return m.given }

func (m *franzMember) commit(ctx context.Context) error {
	m.stop()
	<-m.ended
	return m.client.CommitUncommittedOffsets(ctx)
}

func (m *franzMember) leave() error {
	m.client.Close()
	return nil
}

func (f franz) assignments(ctx context.Context, topic, group string) ([][]int32, string, error) {
	client, err := f.client()
	if err != nil {
		return nil, "", err
	}
	defer client.Close()
	described, err := kadm.NewClient(client).DescribeGroups(ctx, group)
	if err != nil {
		return nil, "", err
	}
	var partitions [][]int32
	for _, each := range described[group].Members {
		var own []int32
		if assigned, ok := each.Assigned.AsConsumer(); ok {
			for _, row := range assigned.Topics {
				own = append(own, row.Partitions...)
			}
		}
		partitions = append(partitions, own)
	}
	return partitions, described[group].State, described[group].Err
}

func (f franz) administer(ctx context.Context, topic string) (found administered, err error) {
	client, err := f.client()
	if err != nil {
		return found, err
	}
	defer client.Close()
	admin, hour := kadm.NewClient(client), "3600000"
	created, err := admin.CreateTopics(ctx, 3, 1, map[string]*string{"retention.ms": &hour}, topic)
	if err != nil {
		return found, err
	}
	again, err := admin.CreateTopics(ctx, 3, 1, nil, topic)
	if err != nil {
		return found, err
	}
	found.Created, found.Again = created[topic].Err == nil, again[topic].Err == nil
	listed, err := admin.ListTopics(ctx)
	if err != nil {
		return found, err
	}
	found.Listed, found.Partitions = listed.Has(topic), len(listed[topic].Partitions)
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return found, err
	}
	for _, each := range configs[0].Configs {
		if each.Key == "retention.ms" {
			found.Retention = each.MaybeValue()
		}
	}
	deleted, err := admin.DeleteTopics(ctx, topic)
	if err != nil {
		return found, err
	}
	if deleted[topic].Err != nil {
		return found, deleted[topic].Err
	}
	found.Gone, err = gone(ctx, func() (bool, error) {
		listed, err := admin.ListTopics(ctx)
		return listed.Has(topic), err
	})
	return found, err
}

func (f franz) writer(topic string) (func(context.Context, string) error, func() error, error) {
	client, err := f.client(kgo.DefaultProduceTopic(topic))
	if err != nil {
		return nil, nil, err
	}
	send := func(ctx context.Context, value string) error {
		return client.ProduceSync(ctx, &kgo.Record{Value: []byte(value)}).FirstErr()
	}
	return send, func() error { client.Close(); return nil }, nil
}
