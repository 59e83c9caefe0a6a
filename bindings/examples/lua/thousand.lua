-- 1,000 requests through one session, over at most 50 connections. One of them fails, and says why.
--
--     hcx serve --http 127.0.0.1:8080 &
--     luajit thousand.lua http://127.0.0.1:8080
--
-- LuaJIT reads C, so hc.h is all the binding there is: $HC_HEADER or /usr/include/hc/hc.h, and $HC_LIBRARY or
-- libhc.so.0.
local ffi = require 'ffi'

local REQUESTS, CONNECTIONS, FAILING = 1000, 50, 500
local HC_FOREVER = 0xfffffffffffffffeULL -- a macro of hc.h

-- What hc.h declares, without the preprocessor's part of it.
local function declarations()
  local file = assert(io.open(os.getenv 'HC_HEADER' or '/usr/include/hc/hc.h'))
  local text = file:read('*a'):gsub('/%*.-%*/', ''):gsub('#ifdef __cplusplus.-#endif', ''):gsub('#[^\n]*', '')
  file:close()
  return (text:gsub('HC_API', ''):gsub('HC_NODISCARD', ''))
end

ffi.cdef(declarations())
local hc = ffi.load(os.getenv 'HC_LIBRARY' or 'libhc.so.0')

-- A string that C borrows; `text` must be referenced until the call is over.
local function str(text) return ffi.new('hc_str', text, #text) end

-- Lua's own kind of error: a value to throw, which prints as one line.
local Error = { __tostring = function(self) return 'hc.Error: ' .. self.name .. ': ' .. self.message end }

local details = ffi.new 'hc_error'
hc.hc_error_init(details, ffi.sizeof(details))

-- `explained`: the call has filled `details`.
local function check(status, explained)
  if status == hc.HC_OK then return end
  local message = ffi.string(explained and details.message or hc.hc_status_text(status))
  error(setmetatable({ status = status, name = ffi.string(hc.hc_status_name(status)), message = message }, Error))
end

local function new_session(limit)
  local options, session = ffi.new 'hc_session_options', ffi.new 'hc_session *[1]'
  check(hc.hc_session_options_init(options, ffi.sizeof(options)))
  options.limit = limit -- the others wait in line
  check(hc.hc_session_create(session, options, details), true)
  return ffi.gc(session[0], hc.hc_session_free)
end

local function new_queue()
  local queue = ffi.new 'hc_queue *[1]'
  check(hc.hc_queue_create(queue, details), true)
  return ffi.gc(queue[0], hc.hc_queue_close)
end

-- Request N asks for N bytes, but for one, whose connection the server resets.
local function submit(session, queue, base, number)
  local url = base .. (number == FAILING and '/reset' or '/bytes/' .. number)
  local request = ffi.new 'hc_request'
  check(hc.hc_request_init(request, ffi.sizeof(request)))
  request.url = str(url)
  request.queue = queue
  request.user_data = ffi.cast('void *', number)
  check(hc.hc_session_submit(session, request, nil, details), true)
end

local function count(sum, done)
  if done.status ~= hc.HC_OK then
    check(hc.hc_response_error(done.response, details))
    print(('request %d failed: %s: %s'):format(tonumber(ffi.cast('uintptr_t', done.user_data)),
      ffi.string(hc.hc_status_name(details.status)), ffi.string(details.message)))
    sum.failures = sum.failures + 1
  elseif done.http_status == 200 then
    sum.answers = sum.answers + 1
    sum.bytes = sum.bytes + #ffi.string(done.body.data, done.body.len)
  end
end

-- Every request that was accepted completes exactly once, so this ends.
local function collect(queue, sum)
  local done, taken, open = ffi.new 'hc_completion[64]', ffi.new 'size_t[1]', REQUESTS
  while open > 0 do
    check(hc.hc_queue_wait(queue, HC_FOREVER, nil))
    check(hc.hc_queue_drain(queue, done, ffi.sizeof(done[0]), 64, taken))
    for i = 0, tonumber(taken[0]) - 1 do
      count(sum, done[i])
      hc.hc_response_free(done[i].response)
    end
    open = open - tonumber(taken[0])
  end
end

local function fetch(base)
  local sum, stats = { answers = 0, failures = 0, bytes = 0 }, ffi.new 'hc_stats'
  local session, queue = new_session(CONNECTIONS), new_queue()
  local fine, failure = pcall(function()
    for number = 0, REQUESTS - 1 do submit(session, queue, base, number) end
    collect(queue, sum)
    check(hc.hc_session_close(session, HC_FOREVER))
    stats.struct_size = ffi.sizeof(stats)
    check(hc.hc_session_stats(session, stats))
  end)
  hc.hc_session_free(ffi.gc(session, nil))
  hc.hc_queue_close(ffi.gc(queue, nil))
  if not fine then error(failure, 0) end
  return sum, stats
end

ffi.cdef [[
  void *opendir(const char *path);
  void *readdir(void *directory);
  int closedir(void *directory);
  int poll(void *descriptors, unsigned long count, int timeout_ms);
]]

local function entries(path)
  local found, directory = 0, ffi.C.opendir(path)
  while ffi.C.readdir(directory) ~= nil do found = found + 1 end
  ffi.C.closedir(directory)
  return found
end

-- The kernel may list a thread for a moment after it was joined.
local function threads_become(expected)
  for _ = 1, 5000 do
    if entries '/proc/self/task' == expected then return true end
    ffi.C.poll(nil, 0, 1)
  end
  return false
end

local function adds_up(sum, stats)
  return sum.answers == REQUESTS - 1 and sum.failures == 1 and sum.bytes == REQUESTS * (REQUESTS - 1) / 2 - FAILING
    and stats.submitted == REQUESTS and stats.sockets_peak <= CONNECTIONS
    and stats.sockets_opened == stats.sockets_closed
end

if #arg ~= 1 then
  io.stderr:write 'usage: luajit thousand.lua URL\n'
  os.exit(2)
end
local descriptors, threads = entries '/proc/self/fd', entries '/proc/self/task'
local sum, stats = fetch(arg[1])
local leaks = not threads_become(threads) or entries '/proc/self/fd' ~= descriptors
print(('%d answers, %d bytes, %d failure, at most %d connections%s'):format(sum.answers, sum.bytes, sum.failures,
  tonumber(stats.sockets_peak), leaks and '; something was left open' or ''))
os.exit(adds_up(sum, stats) and not leaks and 0 or 1)
