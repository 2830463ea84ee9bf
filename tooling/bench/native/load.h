// What all kinds of load share: sockets, clock, latencies, the check of one answer.
#pragma once
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What a run came to; printed as one line of JSON. */
struct tally {
  uint64_t requests, errors;
  double seconds;
  char first_error[160];
};

uint64_t now_ns(void);

/** A connected, blocking socket with TCP_NODELAY; `source` is the last byte of a 127.0.0.x address, 0 for any. */
int dial(int port, int source);
/** The same without waiting, from 127.0.0.`source`; -1 with errno where not even that can be begun. */
int dial_async(int port, int source);
void set_nonblocking(int fd);

void record_latency(uint64_t ns);
/** Notes an error; the first one's text (anything printable of `bytes`) goes into the report. */
void note_error(struct tally *tally, const char *what, const char *bytes, size_t length);
void print_tally(const struct tally *tally);

/** Bytes of one whole, correct hello answer at `bytes`; 0 when it is not complete; -1 when it is not what was asked for. */
ssize_t check_answer(const char *bytes, size_t length);

/** Request number `n` of a set whose targets and header values all differ. */
size_t write_request(char *out, size_t room, int port, unsigned n);

int run_http(int port, int connections, double seconds, int pipeline);
int run_websocket(int port, int connections, double seconds, size_t size);
int run_idle(int port);
int run_echo(int port, int connections, double seconds, size_t size);
int run_upload(int port, double seconds);
int run_download(int port, double seconds);
int run_churn(int port, int connections, double seconds);
int run_storm(int port, int crowd, size_t size);
int run_connect(int port, int connections, double seconds);
int run_active(int port, int connections, double seconds, int pause_ms);
int run_get(int port, int connections, double seconds, uint64_t size, int pause_us);
int run_put(int port, double seconds, uint64_t size);
int run_slowloris(int port, int dripping, int honest, double seconds);

struct epoll_event;

// As epoll_wait for two seconds, but without sleeping where the load has a core of its own: waking a sleeper is work of
// the waker, and would be charged to the slower servers, which leave the load more time to sleep.
int wait_awake(int poller, struct epoll_event *events, int room);
