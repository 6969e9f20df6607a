// What Go's Kafka clients do as judges of the broker; run by compat_tests/test_other_languages.py and client_table.py.
//
//	judge CLIENT BOOTSTRAP write TOPIC CODEC COUNT   COUNT lines in one batch, as an idempotent producer where there is one
//	judge CLIENT BOOTSTRAP read TOPIC COUNT          a consumer alone, from the beginning
//	judge CLIENT BOOTSTRAP write-lines TOPIC CODEC   as write, the lines of stdin
//	judge CLIENT BOOTSTRAP read-lines TOPIC COUNT    as read, but the values only, a line each
//	judge CLIENT BOOTSTRAP group TOPIC GROUP COUNT   two members: says when they share TOPIC, then what they read, committed
//	judge CLIENT BOOTSTRAP admin TOPIC               create, list, describe, delete
//	judge CLIENT BOOTSTRAP write-on TOPIC            a line at a time until stdin ends; what was acknowledged is told
//
// CLIENT is franz-go, sarama or kafka-go. What came of it is printed as a line of JSON; `write-on` prints one for each
// acknowledged line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

const patience = 30 * time.Second

type record struct {
	key, value, number string // number: of a header
}

// MarshalJSON makes [key, value, number] of it.
func (r record) MarshalJSON() ([]byte, error) {
	return json.Marshal([]string{r.key, r.value, r.number})
}

// client is one of Go's clients; whatever it waits for, it waits until ctx ends.
type client interface {
	write(ctx context.Context, topic, codec string, records []record) error
	read(ctx context.Context, topic string, count int) ([]record, error)
	join(ctx context.Context, topic, group string) (member, error)
	// assignments: the partitions of each member, and the state of the group.
	assignments(ctx context.Context, topic, group string) ([][]int32, string, error)
	administer(ctx context.Context, topic string) (administered, error)
	// writer sends a value and returns when it was acknowledged, however often the broker restarts.
	writer(topic string) (send func(ctx context.Context, value string) error, closed func() error, err error)
}

// member of a group; it reads from when it was made.
type member interface {
	values() <-chan string
	commit(ctx context.Context) error // all that it has given out; it reads no more
	leave() error
}

type administered struct {
	Created    bool   `json:"created"`
	Again      bool   `json:"again"` // created a second time, which must be refused
	Listed     bool   `json:"listed"`
	Partitions int    `json:"partitions"`
	Retention  string `json:"retention"`
	Gone       bool   `json:"gone"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 4 {
		return fmt.Errorf("CLIENT BOOTSTRAP VERB TOPIC … are wanted, not %q", arguments)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	bootstrap, verb, topic, rest := arguments[1], arguments[2], arguments[3], arguments[4:]
	c, err := clientOf(arguments[0], bootstrap)
	if err != nil {
		return err
	}
	var found any
	switch verb {
	case "write":
		found, err = writeLines(ctx, c, topic, rest[0], number(rest[1]))
	case "read":
		found, err = readAll(ctx, c, topic, number(rest[0]))
	case "write-lines":
		return writeGiven(ctx, c, topic, rest[0])
	case "read-lines":
		return readLines(ctx, c, topic, number(rest[0]))
	case "group":
		found, err = share(ctx, c, topic, rest[0], number(rest[1]))
	case "admin":
		found, err = c.administer(ctx, topic)
	case "write-on":
		return writeOn(c, topic)
	default:
		return fmt.Errorf("no verb %q", verb)
	}
	if err != nil {
		return err
	}
	return tell(found)
}

func clientOf(name, bootstrap string) (client, error) {
	switch name {
	case "franz-go":
		return franz{bootstrap}, nil
	case "sarama":
		return saramas{bootstrap}, nil
	case "kafka-go":
		return segmentio{bootstrap}, nil
	}
	return nil, fmt.Errorf("no client %q", name)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func tell(found any) error { return json.NewEncoder(os.Stdout).Encode(found) }

func writeLines(ctx context.Context, c client, topic, codec string, count int) (any, error) {
	records := make([]record, count)
	for n := range records {
		records[n] = record{fmt.Sprintf("key %d", n), fmt.Sprintf("%s %d", codec, n), strconv.Itoa(n)}
	}
	return map[string]int{"acknowledged": count}, c.write(ctx, topic, codec, records)
}

func readAll(ctx context.Context, c client, topic string, count int) (any, error) {
	records, err := c.read(ctx, topic, count)
	return map[string][]record{"records": records}, err
}

func writeGiven(ctx context.Context, c client, topic, codec string) error {
	var records []record
	given := bufio.NewScanner(os.Stdin)
	for given.Scan() {
		n := len(records)
		records = append(records, record{fmt.Sprintf("key %d", n), given.Text(), strconv.Itoa(n)})
	}
	if err := given.Err(); err != nil {
		return err
	}
	return c.write(ctx, topic, codec, records)
}

func readLines(ctx context.Context, c client, topic string, count int) error {
	records, err := c.read(ctx, topic, count)
	for _, each := range records {
		fmt.Println(each.value)
	}
	return err
}

// share tells when two members have half of the partitions each, and then what they read, and have committed.
func share(ctx context.Context, c client, topic, group string, count int) (any, error) {
	members := make([]member, 2)
	for n := range members {
		joined, err := c.join(ctx, topic, group)
		if err != nil {
			return nil, err
		}
		members[n] = joined
	}
	partitions, err := shared(ctx, c, topic, group)
	if err != nil {
		return nil, err
	}
	if err := tell(map[string]any{"partitions": partitions}); err != nil {
		return nil, err
	}
	var values []string
	for len(values) < count {
		select {
		case value := <-members[0].values():
			values = append(values, value)
		case value := <-members[1].values():
			values = append(values, value)
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d values in %v", len(values), count, patience)
		}
	}
	for _, each := range members {
		if err := each.commit(ctx); err != nil {
			return nil, fmt.Errorf("commit: %w", err)
		}
	}
	for _, each := range members {
		if err := each.leave(); err != nil {
			return nil, fmt.Errorf("leave: %w", err)
		}
	}
	return map[string][]string{"values": values}, nil
}

// shared waits until both members have as many partitions; before the first one came, the group is not there.
func shared(ctx context.Context, c client, topic, group string) ([][]int32, error) {
	for {
		partitions, state, err := c.assignments(ctx, topic, group)
		if err == nil && state == "Stable" && len(partitions) == 2 && len(partitions[0]) == len(partitions[1]) {
			return partitions, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("not shared in %v: %v, %s, %v", patience, partitions, state, err)
		}
	}
}

// gone waits until a list of topics is without one; some clients keep the list for a while.
func gone(ctx context.Context, listed func() (bool, error)) (bool, error) {
	for {
		there, err := listed()
		if err != nil || !there {
			return !there, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return false, nil
		}
	}
}

func writeOn(c client, topic string) error {
	send, closed, err := c.writer(topic)
	if err != nil {
		return err
	}
	var ended int32
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		atomic.StoreInt32(&ended, 1)
	}()
	for n := 0; atomic.LoadInt32(&ended) == 0; n++ {
		if err := send(context.Background(), strconv.Itoa(n)); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := tell(map[string]int{"acknowledged": n}); err != nil {
			return err
		}
	}
	return closed()
}
