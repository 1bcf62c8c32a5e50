// The life of a job, with the official Node SDK, at any service of the fine-tuning API:
//
//   OPENAI_BASE_URL=http://127.0.0.1:8321/v1 OPENAI_API_KEY=… node life.mjs [LARGE.jsonl]
//
// Where the service is paid this costs what two short runs of reinforcement fine-tuning cost. LARGE.jsonl goes up in
// parts of PART_MB. OPENAI_ADMIN_KEY grants permissions; without it the key does. LOOK_EVERY is how many seconds pass
// between two looks at a job. RFTPLAN_NODE_MODULES names the folder that `openai` is in, where it is not in one above
// this file. Says "ok" for every step; ends with 1 at the first that is not.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, openAsBlob } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { setTimeout as pass } from "node:timers/promises";

const modules = process.env.RFTPLAN_NODE_MODULES;
const sdk = modules ? createRequire(resolve(modules, "..", "life.cjs"))("openai") : await import("openai");
const OpenAI = sdk.default ?? sdk;

// Of an SDK that has two keys, permissions take the admin key alone.
const client = new OpenAI({
  maxRetries: 0,
  adminAPIKey: process.env.OPENAI_ADMIN_KEY ?? process.env.OPENAI_API_KEY,
});
const model = process.env.MODEL ?? "o4-mini-2025-04-16";
const partBytes = Number(process.env.PART_MB ?? 64) * 2 ** 20;
const lookEvery = Number(process.env.LOOK_EVERY ?? 5);
const large = process.argv[2];
const mark = `life-${process.pid}-${Date.now()}`;
const ENDED = ["succeeded", "failed", "cancelled"];

let train, valid, job, tuned, checkpoint;

function rows(first, count) {
  const lines = Array.from({ length: count }, (_, n) => ({
    messages: [{ role: "user", content: `${mark}: is ${first + n} even?` }],
    answer: (first + n) % 2 ? "no" : "yes",
  }));
  return lines.map((line) => JSON.stringify(line) + "\n").join("");
}

async function upload(name, text) {
  const file = await client.files.create({ file: new File([text], name), purpose: "fine-tune" });
  assert.equal(file.bytes, Buffer.byteLength(text));
  return file.id;
}

async function md5Of(path) {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

const create = (name) =>
  client.fineTuning.jobs.create({
    model,
    training_file: train,
    validation_file: valid,
    seed: 7,
    suffix: "life",
    metadata: { life: mark, name },
    method: {
      type: "reinforcement",
      reinforcement: {
        grader: {
          type: "string_check",
          name: "answer",
          operation: "eq",
          input: "{{sample.output_text}}",
          reference: "{{item.answer}}",
        },
        hyperparameters: { n_epochs: 1, reasoning_effort: "low" },
      },
    },
  });

async function every(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

async function until(wanted) {
  for (;;) {
    const now = await client.fineTuning.jobs.retrieve(job);
    if (now.status === wanted) return now;
    assert(!ENDED.includes(now.status), `the job has ${now.status}: ${JSON.stringify(now.error)}`);
    await pass(lookEvery * 1000);
  }
}

const steps = {
  "small files are uploaded": async () => {
    train = await upload("train.jsonl", rows(0, 40));
    valid = await upload("valid.jsonl", rows(40, 10));
  },

  "a large file is uploaded in parts, side by side": async () => {
    if (!large) return "no file is given";
    const whole = await openAsBlob(large);
    const begun = await client.uploads.create({
      filename: "large.jsonl",
      purpose: "fine-tune",
      mime_type: "text/jsonl",
      bytes: whole.size,
    });
    const starts = Array.from({ length: Math.ceil(whole.size / partBytes) }, (_, n) => n * partBytes);
    const parts = await Promise.all(
      starts.map((start) =>
        client.uploads.parts.create(begun.id, { data: new File([whole.slice(start, start + partBytes)], "part") }),
      ),
    );
    const done = await client.uploads.complete(begun.id, {
      part_ids: parts.map((part) => part.id),
      md5: await md5Of(large),
    });
    assert.equal(done.status, "completed");
    assert.equal((await client.files.retrieve(done.file.id)).bytes, whole.size);
    await client.files.delete(done.file.id);
  },

  "a job is created": async () => {
    job = (await create("first")).id;
  },

  "jobs are listed by metadata": async () => {
    const listed = async (life) => (await every(client.fineTuning.jobs.list({ metadata: { life } }))).map((j) => j.id);
    assert.deepEqual(await listed(mark), [job]);
    assert.deepEqual(await listed(`not-${mark}`), []);
  },

  "events are followed, page by page": async () => {
    for (;;) {
      const events = await every(client.fineTuning.jobs.listEvents(job, { limit: 2 }));
      assert.equal(new Set(events.map((event) => event.id)).size, events.length, "an event came twice");
      if (events.some((event) => event.type === "metrics")) return;
      const { status } = await client.fineTuning.jobs.retrieve(job);
      assert(!ENDED.includes(status), `the job has ${status}`);
      await pass(lookEvery * 1000);
    }
  },

  "the job is paused": async () => {
    await client.fineTuning.jobs.pause(job);
    await until("paused");
  },

  "the job is resumed, and succeeds": async () => {
    await client.fineTuning.jobs.resume(job);
    tuned = (await until("succeeded")).fine_tuned_model;
    assert.match(tuned, /^ft:/);
  },

  "checkpoints are listed": async () => {
    const found = await every(client.fineTuning.jobs.checkpoints.list(job));
    checkpoint = found.at(-1).fine_tuned_model_checkpoint;
    assert.match(checkpoint, /^ft:/);
  },

  "a permission is granted and revoked": async () => {
    const permissions = client.fineTuning.checkpoints.permissions;
    const [granted] = await every(permissions.create(checkpoint, { project_ids: ["proj_life"] }));
    const revoked = await permissions.delete(granted.id, { fine_tuned_model_checkpoint: checkpoint });
    assert(revoked.deleted);
    const left = await every(permissions.list(checkpoint));
    assert(!left.some((permission) => permission.id === granted.id), "it is still there");
  },

  "the model answers": async () => {
    const messages = [{ role: "user", content: `${mark}: is 2 even?` }];
    const reply = await client.chat.completions.create({ model: tuned, messages });
    assert.equal(typeof reply.choices[0].message.content, "string");
    let streamed = "";
    for await (const chunk of await client.chat.completions.create({ model: tuned, messages, stream: true }))
      streamed += chunk.choices[0]?.delta?.content ?? "";
    assert(streamed.length > 0);
    assert.equal(typeof (await client.responses.create({ model: tuned, input: messages[0].content })).output_text, "string");
  },

  "another job is cancelled": async () => {
    const other = await create("second");
    assert.equal((await client.fineTuning.jobs.cancel(other.id)).status, "cancelled");
  },

  "model and files are deleted": async () => {
    assert((await client.models.delete(checkpoint)).deleted);
    for (const file of [train, valid]) assert((await client.files.delete(file)).deleted);
  },
};

for (const [what, take] of Object.entries(steps)) {
  try {
    const why = await take();
    console.log(why ? `skipped - ${what}: ${why}` : `ok - ${what}`);
  } catch (error) {
    console.error(`not ok - ${what}: ${error.message}`);
    process.exit(1);
  }
}
