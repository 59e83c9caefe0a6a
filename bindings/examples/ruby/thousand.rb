# frozen_string_literal: true

# 1,000 requests through one session, over at most 50 connections. One of them fails, and says why.
#
#     hcx serve --http 127.0.0.1:8080 &
#     ruby thousand.rb http://127.0.0.1:8080
#
# The library is $HC_LIBRARY or libhc.so.0.
require 'fiddle/import'
require 'io/wait'
require 'json'

# libhc, as far as this program needs it.
module HC
  extend Fiddle::Importer
  dlload ENV.fetch('HC_LIBRARY', 'libhc.so.0')

  interface = JSON.parse(File.read(File.join(__dir__, '../../hc.json')))
  OK = interface['constants']['HC_OK']
  FOREVER = Integer(interface['constants']['HC_FOREVER'])

  # Structs by name. Fiddle wants a struct within a struct as { field: struct }.
  STRUCTS = {}
  interface['structs'].each do |name, fields|
    STRUCTS[name] = struct(fields.map do |field, type|
      base, length = type.match(/\A(.*?)(\[\d+\])?\z/).captures
      STRUCTS.key?(base) ? { field => STRUCTS[base] } : "#{base} #{field}#{length}"
    end)
  end

  # Fiddle knows no structs by value. As an argument a hc_str is its two fields, one after the other; what returns one
  # is left out.
  interface['functions'].each do |name, function|
    next if STRUCTS.key?(function['returns'])

    types = function['parameters'].flat_map { |_, type| type == 'hc_str' ? ['void *', 'size_t'] : type }
    extern "#{function['returns']} #{name}(#{types.join(', ')})"
  end

  # Ruby's own kind of error, with libhc's line as its message.
  class Error < StandardError
    attr_reader :status

    def initialize(status, message)
      super(message)
      @status = status
    end

    def name = HC.hc_status_name(status).to_s
  end

  module_function

  # A struct as its init function leaves it.
  def initialised(name)
    value = STRUCTS[name].malloc(Fiddle::RUBY_FREE)
    check(send("#{name}_init", value, value.class.size))
    value
  end

  def check(status, message = nil)
    raise Error.new(status, message || hc_status_text(status).to_s) unless status == OK
  end

  # Calls a function whose last argument is a hc_error.
  def call(function, *arguments)
    details = initialised('hc_error')
    check(send(function, *arguments, details), text(details.message))
  end

  # The same, for one that makes a handle.
  def create(function, *arguments)
    Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE) do |out|
      call(function, out, *arguments)
      return out.ptr
    end
  end

  def text(characters) = characters.pack('c*').unpack1('Z*')
end

# A session, and the queue where its answers come in.
class Session
  CAPACITY = 64

  def self.open(...)
    session = new(...)
    yield session
  ensure
    session&.free
  end

  def initialize(limit:)
    options = HC.initialised('hc_session_options')
    options.limit = limit # the others wait in line
    @queue = HC.create(:hc_queue_create)
    @session = create_session(options)
    @signal = IO.for_fd(HC.hc_queue_fd(@queue), autoclose: false)
    @items = Fiddle::Pointer.malloc(CAPACITY * HC::STRUCTS['hc_completion'].size, Fiddle::RUBY_FREE)
    @count = Fiddle::Pointer.malloc(Fiddle::SIZEOF_SIZE_T, Fiddle::RUBY_FREE)
  end

  def submit(url, number)
    request = HC.initialised('hc_request')
    request.url.data = url # borrowed until the submit returns
    request.url.len = url.bytesize
    request.queue = @queue
    request.user_data = number
    HC.call(:hc_session_submit, @session, request, nil)
  end

  # Yields what has come; waits until something has.
  def take(&block)
    @signal.wait_readable
    size = HC::STRUCTS['hc_completion'].size
    HC.check(HC.hc_queue_drain(@queue, @items, size, CAPACITY, @count))
    taken = @count[0, Fiddle::SIZEOF_SIZE_T].unpack1('J')
    taken.times { |i| settle(HC::STRUCTS['hc_completion'].new(@items + i * size), &block) }
    taken
  end

  # Waits for what is under way, and returns the last statistics.
  def close
    HC.check(HC.hc_session_close(@session, HC::FOREVER))
    stats = HC::STRUCTS['hc_stats'].malloc(Fiddle::RUBY_FREE)
    stats.struct_size = stats.class.size
    HC.check(HC.hc_session_stats(@session, stats))
    stats
  end

  def free
    HC.hc_session_free(@session)
    HC.hc_queue_close(@queue)
  end

  private

  def create_session(options)
    HC.create(:hc_session_create, options)
  rescue HC::Error
    HC.hc_queue_close(@queue)
    raise
  end

  def settle(done)
    body = done.body.data.to_str(done.body.len) if done.status == HC::OK
    yield done.user_data.to_i, done.http_status, body, (failure(done.response) if body.nil?)
  ensure
    HC.hc_response_free(done.response)
  end

  def failure(response)
    details = HC.initialised('hc_error')
    HC.check(HC.hc_response_error(response, details))
    HC::Error.new(details.status, HC.text(details.message))
  end
end

REQUESTS = 1000
CONNECTIONS = 50
FAILING = 500
Tally = Struct.new(:answers, :failures, :bytes, :stats)

def count(sum, number, status, body, error)
  if error
    puts "request #{number} failed: #{error.name}: #{error.message}"
    sum.failures += 1
  elsif status == 200
    sum.answers += 1
    sum.bytes += body.bytesize
  end
end

# Request N asks for N bytes, but for one, whose connection the server resets.
def fetch(base)
  sum = Tally.new(0, 0, 0)
  Session.open(limit: CONNECTIONS) do |session|
    REQUESTS.times { |number| session.submit(base + (number == FAILING ? '/reset' : "/bytes/#{number}"), number) }
    open = REQUESTS # every request that was accepted completes exactly once
    open -= session.take { |*outcome| count(sum, *outcome) } while open.positive?
    sum.stats = session.close
  end
  sum
end

def entries(directory) = Dir.children(directory).size

# The kernel may list a thread for a moment after it was joined.
def threads_become?(expected)
  5000.times do
    return true if entries('/proc/self/task') == expected

    sleep 0.001
  end
  false
end

def adds_up?(sum)
  sum.answers == REQUESTS - 1 && sum.failures == 1 && sum.bytes == REQUESTS * (REQUESTS - 1) / 2 - FAILING &&
    sum.stats.submitted == REQUESTS && sum.stats.sockets_peak <= CONNECTIONS &&
    sum.stats.sockets_opened == sum.stats.sockets_closed
end

if ARGV.size != 1
  warn 'usage: ruby thousand.rb URL'
  exit 2
end
descriptors = entries('/proc/self/fd')
threads = entries('/proc/self/task')
sum = fetch(ARGV[0])
leaks = !threads_become?(threads) || entries('/proc/self/fd') != descriptors
puts "#{sum.answers} answers, #{sum.bytes} bytes, #{sum.failures} failure, " \
     "at most #{sum.stats.sockets_peak} connections#{'; something was left open' if leaks}"
exit adds_up?(sum) && !leaks
