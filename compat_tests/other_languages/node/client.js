// What kafkajs does as a judge of the broker; run by compat_tests/test_other_languages.py and client_table.py.
//
//   node client.js BOOTSTRAP write TOPIC CODEC COUNT     COUNT lines in one batch, as an idempotent producer
//   node client.js BOOTSTRAP read TOPIC COUNT            a consumer alone, from the beginning
//   node client.js BOOTSTRAP write-lines TOPIC CODEC     as write, the lines of stdin
//   node client.js BOOTSTRAP read-lines TOPIC COUNT      as read, but the values only, a line each
//   node client.js BOOTSTRAP group TOPIC GROUP COUNT     two members: says when they share TOPIC, then what they read, committed
//   node client.js BOOTSTRAP admin TOPIC                 create, list, describe, delete
//   node client.js BOOTSTRAP write-on TOPIC              a line at a time until stdin ends; what was acknowledged is told
//
// What came of it is printed as a line of JSON; `write-on` prints one for each acknowledged line.
'use strict';

const { createInterface } = require('node:readline');
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = require('kafkajs');

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');

const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };
const PATIENCE_MS = 30_000;

const tell = (found) => process.stdout.write(`${JSON.stringify(found)}\n`);

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, fail) => setTimeout(() => fail(new Error(`no ${what} in ${PATIENCE_MS} ms`)), PATIENCE_MS).unref()),
  ]);

async function send(kafka, topic, codec, values) {
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const messages = values.map((value, n) => ({ key: `key ${n}`, value, headers: { number: String(n) } }));
  const answers = await producer.send({ topic, messages, compression: CODECS[codec], acks: -1 });
  await producer.disconnect();
  return answers;
}

async function write(kafka, topic, codec, count) {
  const answers = await send(
    kafka,
    topic,
    codec,
    Array.from({ length: Number(count) }, (_, n) => `${codec} ${n}`),
  );
  tell({ answers: answers.map(({ partition, baseOffset, errorCode }) => [partition, Number(baseOffset), errorCode]) });
}

async function writeLines(kafka, topic, codec) {
  const lines = [];
  for await (const line of createInterface({ input: process.stdin })) lines.push(line);
  await send(kafka, topic, codec, lines);
}

/** Calls `seen(message, partition)` for each until it answers true, then leaves. */
async function consume(consumer, seen) {
  const enough = new Promise((resolve) => {
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (await seen(message, partition)) resolve();
      },
    });
  });
  await within(enough, 'end of what was to be read');
}

async function recordsOf(kafka, topic, count) {
  const consumer = kafka.consumer({ groupId: `alone-${topic}`, maxWaitTimeInMs: 200 }); // there is no other kind in kafkajs
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const records = [];
  await consume(consumer, (message) => {
    const header = message.headers.number;
    records.push([String(message.key), String(message.value), header === undefined ? null : String(header)]);
    return records.length === Number(count);
  });
  await consumer.disconnect();
  return records;
}

async function read(kafka, topic, count) {
  tell({ records: await recordsOf(kafka, topic, count) });
}

async function readLines(kafka, topic, count) {
  for (const [, value] of await recordsOf(kafka, topic, count)) console.log(value);
}

/** Tells when two members have half of the partitions each, and then what they read, and have committed. */
async function group(kafka, topic, groupId, count) {
  const soon = { heartbeatInterval: 300, maxWaitTimeInMs: 200 }; // how soon a rebalance is noticed
  const members = [kafka.consumer({ groupId, ...soon }), kafka.consumer({ groupId, ...soon })];
  const values = [];
  const next = members.map(() => new Map()); // offsets to commit, by partition
  let enough;
  const all = new Promise((resolve) => {
    enough = resolve;
  });
  const shared = members.map(
    (member) =>
      new Promise((resolve) => {
        member.on(member.events.GROUP_JOIN, ({ payload }) => {
          const partitions = payload.memberAssignment[topic] ?? [];
          if (partitions.length === 2) resolve(partitions); // of four: the other half is the other member's
        });
      }),
  );
  for (const [index, member] of members.entries()) {
    await member.connect();
    await member.subscribe({ topics: [topic], fromBeginning: true });
    await member.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        next[index].set(partition, String(Number(message.offset) + 1));
        if (values.push(String(message.value)) === Number(count)) enough();
      },
    });
  }
  const partitions = await within(Promise.all(shared), 'two members with half of the partitions each');
  tell({ partitions });
  await within(all, `${count} records`);
  for (const [index, member] of members.entries()) {
    await member.commitOffsets([...next[index]].map(([partition, offset]) => ({ topic, partition, offset })));
  }
  await Promise.all(members.map((member) => member.disconnect()));
  tell({ values });
}

async function admin(kafka, topic) {
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: 'retention.ms', value: '3600000' }];
  const created = await admin.createTopics({ topics: [{ topic, numPartitions: 3, configEntries }] });
  const again = await admin.createTopics({ topics: [{ topic }] });
  const listed = (await admin.listTopics()).includes(topic);
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] };
  const configs = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
  await admin.deleteTopics({ topics: [topic] });
  const gone = !(await admin.listTopics()).includes(topic);
  await admin.disconnect();
  const partitions = metadata.topics[0].partitions.length;
  tell({ created, again, listed, partitions, retention: configs.resources[0].configEntries[0].configValue, gone });
}

async function writeOn(kafka, topic) {
  const producer = kafka.producer({ idempotent: true, retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 200 } });
  await producer.connect();
  let going = true;
  process.stdin.on('end', () => {
    going = false;
  });
  process.stdin.resume();
  for (let number = 0; going; number += 1) {
    await producer.send({ topic, messages: [{ value: String(number) }], acks: -1 });
    tell({ acknowledged: number });
  }
  await producer.disconnect();
}

const verbs = {
  write,
  read,
  group,
  admin,
  'write-lines': writeLines,
  'read-lines': readLines,
  'write-on': writeOn,
};

async function main([bootstrap, verb, ...rest]) {
  const kafka = new Kafka({ clientId: 'judge', brokers: [bootstrap], logLevel: logLevel.NOTHING });
  await verbs[verb](kafka, ...rest);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
