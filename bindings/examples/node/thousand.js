// 1,000 requests through one session, over at most 50 connections. One of them fails, and says why.
//
//     npm ci
//     hcx serve --http 127.0.0.1:8080 &
//     node thousand.js http://127.0.0.1:8080
//
// The library is $HC_LIBRARY or libhc.so.0.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const { promisify } = require('node:util');
const koffi = require('koffi');
const { constants, structs, functions } = require('../../hc.json');

const REQUESTS = 1000;
const CONNECTIONS = 50;
const FAILING = 500;
const FOREVER = BigInt(constants.HC_FOREVER);
const CAPACITY = 64;

const lib = koffi.load(process.env.HC_LIBRARY ?? 'libhc.so.0');
const hc = {};
for (const [name, fields] of Object.entries(structs)) koffi.struct(name, Object.fromEntries(fields));
for (const [name, { returns, parameters }] of Object.entries(functions)) {
  hc[name] = lib.func(`${returns} ${name}(${parameters.map(prototype).join(', ')})`);
}

/** As koffi wants it: what a pointer points to is read and written, unless it is const. */
function prototype([name, type]) {
  const isOutput = type.endsWith('*') && type !== 'void *' && !type.startsWith('const ');
  return `${isOutput ? '_Inout_ ' : ''}${type} ${name}`;
}

const dup = koffi.load(null).func('int dup(int descriptor)');

/** Node's own kind of error, with libhc's line as its message. */
class HcError extends Error {
  constructor(status, message) {
    super(message);
    this.name = 'HcError';
    this.code = hc.hc_status_name(status);
  }
}

function check(status, details) {
  if (status !== constants.HC_OK) throw new HcError(status, details?.message ?? hc.hc_status_text(status));
}

/** A struct as its init function leaves it. */
function initialised(type) {
  const struct = {};
  check(hc[`${type}_init`](struct, koffi.sizeof(type)));
  return struct;
}

/** Calls a function that has an output first and an hc_error last, and returns the output. */
function make(create, ...inputs) {
  const out = [null];
  const details = initialised('hc_error');
  check(create(out, ...inputs, details), details);
  return out[0];
}

/** A string that C borrows: for as long as the struct that has it. */
function str(text) {
  const data = Buffer.from(text);
  return { data, len: data.length };
}

function failure(response) {
  const details = initialised('hc_error');
  check(hc.hc_response_error(response, details));
  return new HcError(details.status, details.message);
}

/** A session whose requests are promises. Its queue's descriptor is part of the event loop: nothing polls or waits. */
class Session {
  #session;
  #queue;
  #signal;
  #pending = new Map();
  #items = koffi.alloc('hc_completion', CAPACITY);

  constructor(settings) {
    const options = { ...initialised('hc_session_options'), ...settings };
    this.#queue = make(hc.hc_queue_create);
    try {
      this.#session = make(hc.hc_session_create, options);
    } catch (error) {
      hc.hc_queue_close(this.#queue);
      throw error;
    }
    // A copy, since a socket of Node's closes what it has. It reads the descriptor, which is fine if a drain follows.
    this.#signal = new net.Socket({ fd: dup(hc.hc_queue_fd(this.#queue)), readable: true, writable: false });
    this.#signal.on('data', () => this.#drain());
  }

  get(url) {
    const request = initialised('hc_request');
    request.url = str(url);
    request.queue = this.#queue;
    const details = initialised('hc_error');
    const id = [0];
    check(hc.hc_session_submit(this.#session, request, id, details), details);
    return new Promise((resolve, reject) => this.#pending.set(id[0], { resolve, reject }));
  }

  #drain() {
    const count = [0];
    do {
      check(hc.hc_queue_drain(this.#queue, this.#items, koffi.sizeof('hc_completion'), CAPACITY, count));
      const done = koffi.decode(this.#items, 'hc_completion', count[0]);
      for (const completion of done) this.#settle(completion);
    } while (count[0] === CAPACITY);
  }

  #settle({ id, response, status, http_status, body }) {
    const { resolve, reject } = this.#pending.get(id);
    this.#pending.delete(id);
    if (status === constants.HC_OK) {
      const bytes = body.len === 0 ? [] : koffi.decode(body.data, 'uint8_t', body.len);
      resolve({ status: http_status, body: Buffer.from(bytes) });
    } else {
      reject(failure(response));
    }
    hc.hc_response_free(response);
  }

  stats() {
    const stats = { struct_size: koffi.sizeof('hc_stats') };
    check(hc.hc_session_stats(this.#session, stats));
    return stats;
  }

  /** Waits for what is under way, on a thread of Node's, and frees everything. Returns the last statistics. */
  async close() {
    check(await promisify(hc.hc_session_close.async)(this.#session, FOREVER));
    this.#drain(); // every completion is there now, and so every promise has its end
    const stats = this.stats();
    hc.hc_session_free(this.#session);
    await new Promise((resolve) => this.#signal.once('close', resolve).destroy());
    hc.hc_queue_close(this.#queue);
    koffi.free(this.#items);
    return stats;
  }
}

// Request N asks for N bytes, but for one, whose connection the server resets.
async function fetchAll(session, base) {
  const requests = Array.from({ length: REQUESTS }, (_, number) =>
    session.get(base + (number === FAILING ? '/reset' : `/bytes/${number}`))
  );
  const sum = { answers: 0, failures: 0, bytes: 0 };
  for (const [number, outcome] of (await Promise.allSettled(requests)).entries()) {
    if (outcome.status === 'rejected') {
      console.log(`request ${number} failed: ${outcome.reason.code}: ${outcome.reason.message}`);
      sum.failures += 1;
    } else if (outcome.value.status === 200) {
      sum.answers += 1;
      sum.bytes += outcome.value.body.length;
    }
  }
  return sum;
}

async function run(base) {
  const session = new Session({ limit: CONNECTIONS }); // the others wait in line
  let sum, stats;
  try {
    sum = await fetchAll(session, base);
  } finally {
    stats = await session.close();
  }
  return { sum, stats };
}

const descriptors = () => fs.readdirSync('/proc/self/fd').length;

// libhc's; Node starts and keeps threads of its own as it likes.
function threads() {
  const names = fs.readdirSync('/proc/self/task').map((id) => fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8'));
  return names.filter((name) => ['libhc\n', 'hc-names\n'].includes(name)).length;
}

// The kernel may list a thread for a moment after it was joined.
async function threadsEnd() {
  for (let patience = 5000; threads() > 0; patience -= 1) {
    if (patience === 0) return false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return true;
}

function addsUp(sum, stats) {
  return (
    sum.answers === REQUESTS - 1 &&
    sum.failures === 1 &&
    sum.bytes === (REQUESTS * (REQUESTS - 1)) / 2 - FAILING &&
    stats.submitted === REQUESTS &&
    stats.sockets_peak <= CONNECTIONS &&
    stats.sockets_opened === stats.sockets_closed
  );
}

async function main() {
  if (process.argv.length !== 3) {
    console.error('usage: node thousand.js URL');
    process.exit(2);
  }
  await new Session({}).close(); // with its first socket Node opens a descriptor that it keeps
  const before = descriptors();
  const { sum, stats } = await run(process.argv[2]);
  const leaks = !(await threadsEnd()) || descriptors() !== before;
  console.log(
    `${sum.answers} answers, ${sum.bytes} bytes, ${sum.failures} failure, at most ${stats.sockets_peak} connections` +
      (leaks ? '; something was left open' : '')
  );
  process.exitCode = addsUp(sum, stats) && !leaks ? 0 : 1;
}

main();
