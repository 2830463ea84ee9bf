// Slowloris: thousands of connections that each begin a request and drip its head, a byte at a time, while honest ones ask
// and are answered. Ends when the server has closed every dripping connection, or when its time is up. The percentiles
// are those of the honest ones.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, ROOM = 1024, SOURCES = 250, DRIP_MS = 500 };

struct peer {
  int fd; // -1: closed
  int honest;
  uint64_t since;
  size_t used;
  char bytes[ROOM];
};

static unsigned asked;

static int ask(struct peer *p, int port) {
  char request[256];
  size_t length = write_request(request, sizeof request, port, asked++ % 1024);
  p->since = now_ns();
  return send(p->fd, request, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

// Returns what is wrong, or NULL.
static const char *take(struct peer *p, int port, struct tally *tally) {
  ssize_t got = recv(p->fd, p->bytes + p->used, ROOM - p->used, 0);
  if (got < 0 && errno == EAGAIN) return NULL;
  if (got <= 0) return "an honest connection was closed";
  p->used += (size_t)got;
  ssize_t whole = check_answer(p->bytes, p->used);
  if (whole == 0 && p->used < ROOM) return NULL;
  if (whole != (ssize_t)p->used) return "wrong answer";
  p->used = 0;
  tally->requests++;
  record_latency(now_ns() - p->since);
  return ask(p, port) < 0 ? "send" : NULL;
}

// Whether the server has closed it: an answer before that (408) is its right.
static int is_gone(struct peer *p) {
  char bytes[ROOM];
  for (;;) {
    ssize_t got = recv(p->fd, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) return 1;
  }
}

int run_slowloris(int port, int drippers, int honest, double seconds) {
  static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Drip: ";
  struct tally tally = {0};
  int count = drippers + honest, poller = epoll_create1(EPOLL_CLOEXEC);
  struct peer *all = calloc((size_t)count, sizeof *all);
  for (int i = 0; i < count; i++) {
    all[i].fd = dial(port, 1 + i % SOURCES);
    if (all[i].fd < 0) return perror("load: connect"), 1;
    all[i].honest = i >= drippers;
    all[i].since = now_ns();
    if (!all[i].honest) send(all[i].fd, begin, sizeof begin - 1, MSG_NOSIGNAL);
    set_nonblocking(all[i].fd);
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
  }
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9), last_drip = start;
  int left = drippers, next = 0;
  double first_gone = 0, last_gone = 0; // seconds since the first byte of that connection
  for (int i = drippers; i < count; i++) ask(&all[i], port);
  while (left > 0 && tally.errors == 0 && now_ns() < deadline) {
    // Everybody drips once in DRIP_MS, spread over it.
    uint64_t now = now_ns(), due = (now - last_drip) * (uint64_t)drippers / (DRIP_MS * 1000000ull);
    if (due > 0) last_drip = now;
    for (; due > 0; due--, next = (next + 1) % drippers) {
      if (all[next].fd >= 0) send(all[next].fd, "x", 1, MSG_NOSIGNAL);
    }
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, 0);
    for (int i = 0; i < ready && tally.errors == 0; i++) {
      struct peer *p = events[i].data.ptr;
      if (p->honest) {
        const char *wrong = take(p, port, &tally);
        if (wrong != NULL) note_error(&tally, wrong, p->bytes, p->used);
      } else if (is_gone(p)) {
        close(p->fd);
        p->fd = -1;
        left--;
        last_gone = (double)(now_ns() - p->since) / 1e9;
        if (first_gone == 0) first_gone = last_gone;
      }
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"left\":%d,\"firstGone\":%.3f,\"lastGone\":%.3f}\n", left, first_gone, last_gone);
  print_tally(&tally);
  return tally.errors > 0;
}
