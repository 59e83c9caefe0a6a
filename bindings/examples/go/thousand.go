// 1,000 requests through one session, over at most 50 connections. One of them fails, and says why.
//
//	go build -o thousand .
//	hcx serve --http 127.0.0.1:8080 &
//	./thousand http://127.0.0.1:8080
package main

/*
#cgo pkg-config: libhc
#include <hc/hc.h>

// Requests are made in C: Go may not hand over a struct of its own that points to a string of its own.
static hc_status submit(hc_session *session, hc_queue *queue, _GoString_ url, hc_id *id, hc_error *error) {
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = (hc_str){_GoStringPtr(url), _GoStringLen(url)};
  request.queue = queue;
  return hc_session_submit(session, &request, id, error);
}
*/
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	requests    = 1000
	connections = 50
	failing     = 500
	forever     = C.HC_FOREVER
)

// Error is what libhc says of a call or of a request that failed.
type Error struct {
	Status  int32
	Name    string
	Message string
}

func (e *Error) Error() string { return e.Name + ": " + e.Message }

func newError(status C.hc_status, message *C.char) *Error {
	return &Error{int32(status), C.GoString(C.hc_status_name(status)), C.GoString(message)}
}

func check(status C.hc_status) error {
	if status == C.HC_OK {
		return nil
	}
	return newError(status, C.hc_status_text(status))
}

// explain calls a function that takes an hc_error.
func explain(call func(*C.hc_error) C.hc_status) error {
	var details C.hc_error
	C.hc_error_init(&details, C.sizeof_hc_error)
	if status := call(&details); status != C.HC_OK {
		return newError(status, &details.message[0])
	}
	return nil
}

type session struct{ handle *C.hc_session }

func newSession(limit int) (session, error) {
	var options C.hc_session_options
	C.hc_session_options_init(&options, C.sizeof_hc_session_options)
	options.limit = C.uint64_t(limit) // the others wait in line
	var s session
	err := explain(func(e *C.hc_error) C.hc_status { return C.hc_session_create(&s.handle, &options, e) })
	return s, err
}

func (s session) submit(url string, q *queue) (id uint64, err error) {
	err = explain(func(e *C.hc_error) C.hc_status {
		return C.submit(s.handle, q.handle, url, (*C.hc_id)(unsafe.Pointer(&id)), e)
	})
	return id, err
}

func (s session) close() error { return check(C.hc_session_close(s.handle, forever)) }
func (s session) free()        { C.hc_session_free(s.handle) }

func (s session) stats() (stats C.hc_stats, err error) {
	stats.struct_size = C.sizeof_hc_stats
	return stats, check(C.hc_session_stats(s.handle, &stats))
}

// A queue is waited for by Go's poller, so that no thread is held up by waiting.
type queue struct {
	handle *C.hc_queue
	file   *os.File // of a copy of the descriptor: an os.File closes what it has
	signal syscall.RawConn
}

func newQueue() (*queue, error) {
	q := &queue{}
	err := explain(func(e *C.hc_error) C.hc_status { return C.hc_queue_create(&q.handle, e) })
	if err != nil {
		return nil, err
	}
	descriptor, err := syscall.Dup(int(C.hc_queue_fd(q.handle)))
	if err != nil {
		C.hc_queue_close(q.handle)
		return nil, err
	}
	q.file = os.NewFile(uintptr(descriptor), "hc_queue")
	if q.signal, err = q.file.SyscallConn(); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

func (q *queue) close() {
	q.file.Close()
	C.hc_queue_close(q.handle)
}

// take gives completions, one at least. Go's poller tells of changes only: it is asked to wait when a drain gave none.
func (q *queue) take(done []C.hc_completion) (taken C.size_t, err error) {
	waiting := q.signal.Read(func(uintptr) bool {
		err = check(C.hc_queue_drain(q.handle, &done[0], C.sizeof_hc_completion, C.size_t(len(done)), &taken))
		return err != nil || taken > 0
	})
	if err == nil {
		err = waiting
	}
	return taken, err
}

func failure(response *C.hc_response) error {
	return explain(func(e *C.hc_error) C.hc_status {
		if status := C.hc_response_error(response, e); status != C.HC_OK {
			return status
		}
		return e.status
	})
}

type tally struct {
	answers, failures, bytes int
	stats                    C.hc_stats
}

func (t *tally) count(number int, done *C.hc_completion) {
	if done.status != C.HC_OK {
		fmt.Printf("request %d failed: %v\n", number, failure(done.response))
		t.failures++
	} else if done.http_status == 200 {
		t.answers++
		t.bytes += len(C.GoBytes(unsafe.Pointer(done.body.data), C.int(done.body.len)))
	}
}

// Request N asks for N bytes, but for one, whose connection the server resets.
func submitAll(s session, q *queue, base string) (numbers map[uint64]int, err error) {
	numbers = make(map[uint64]int, requests)
	for number := 0; number < requests; number++ {
		path := fmt.Sprintf("/bytes/%d", number)
		if number == failing {
			path = "/reset"
		}
		id, err := s.submit(base+path, q)
		if err != nil {
			return nil, err
		}
		numbers[id] = number
	}
	return numbers, nil
}

// Every request that was accepted completes exactly once, so this ends.
func (t *tally) collect(q *queue, numbers map[uint64]int) error {
	done := make([]C.hc_completion, 64)
	for open := len(numbers); open > 0; {
		taken, err := q.take(done)
		if err != nil {
			return err
		}
		for i := range done[:taken] {
			t.count(numbers[uint64(done[i].id)], &done[i])
			C.hc_response_free(done[i].response)
		}
		open -= int(taken)
	}
	return nil
}

func fetch(base string) (t tally, err error) {
	s, err := newSession(connections)
	if err != nil {
		return t, err
	}
	defer s.free()
	q, err := newQueue()
	if err != nil {
		return t, err
	}
	defer q.close()
	numbers, err := submitAll(s, q, base)
	if err != nil {
		return t, err
	}
	if err = t.collect(q, numbers); err != nil {
		return t, err
	}
	if err = s.close(); err != nil {
		return t, err
	}
	t.stats, err = s.stats()
	return t, err
}

// ourThreads are libhc's; Go starts and keeps threads of its own as it likes.
func ourThreads() (found int) {
	names, _ := filepath.Glob("/proc/self/task/*/comm")
	for _, name := range names {
		comm, _ := os.ReadFile(name)
		if text := strings.TrimSpace(string(comm)); text == "libhc" || text == "hc-names" {
			found++
		}
	}
	return found
}

func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// threadsEnd waits: the kernel may list a thread for a moment after it was joined.
func threadsEnd() bool {
	for patience := 5000; ourThreads() > 0; patience-- {
		if patience == 0 {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

func (t tally) addsUp() bool {
	return t.answers == requests-1 && t.failures == 1 && t.bytes == requests*(requests-1)/2-failing &&
		t.stats.submitted == requests && t.stats.sockets_peak <= connections &&
		t.stats.sockets_opened == t.stats.sockets_closed
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: thousand URL")
		os.Exit(2)
	}
	descriptors() // opens the poller, which Go keeps
	before := descriptors()
	sum, err := fetch(os.Args[1])
	if err != nil {
		fmt.Fprintf(os.Stderr, "thousand: %T: %v\n", err, err)
		os.Exit(1)
	}
	leak := ""
	if !threadsEnd() || descriptors() != before {
		leak = "; something was left open"
	}
	fmt.Printf("%d answers, %d bytes, %d failure, at most %d connections%s\n", sum.answers, sum.bytes, sum.failures,
		sum.stats.sockets_peak, leak)
	if !sum.addsUp() || leak != "" {
		os.Exit(1)
	}
}
