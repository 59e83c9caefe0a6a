// One client of tools/bench_python.py: URL OUTSTANDING REQUESTS; prints one line of JSON. Go's net/http as it comes,
// but for the limit of idle connections, which is 2 for each host by default.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const size = 1024

func cpuSeconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func fail(what ...interface{}) {
	fmt.Fprintln(os.Stderr, what...)
	os.Exit(1)
}

func get(client *http.Client, url string) {
	response, err := client.Get(url)
	if err != nil {
		fail(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != 200 || len(body) != size {
		fail("a wrong answer:", response.StatusCode, len(body), err)
	}
}

func main() {
	url := os.Args[1]
	outstanding, _ := strconv.Atoi(os.Args[2])
	requests, _ := strconv.ParseInt(os.Args[3], 10, 64)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = outstanding, outstanding
	client := &http.Client{Transport: transport}

	var left = requests
	var workers sync.WaitGroup
	started, cpu := time.Now(), cpuSeconds()
	for i := 0; i < outstanding; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for atomic.AddInt64(&left, -1) >= 0 {
				get(client, url)
			}
		}()
	}
	workers.Wait()
	seconds, used := time.Since(started).Seconds(), cpuSeconds()-cpu
	fmt.Printf("{\"requests\": %d, \"seconds\": %f, \"cpu_us_per_request\": %f}\n", requests, seconds,
		used/float64(requests)*1e6)
}
