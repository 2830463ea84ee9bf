// Keep-alive connections that each wait for their answers before they ask again. Every answer is checked in full.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS = 1024, ROOM = 256, EVENTS = 256, BUFFER = 32768 };

struct connection {
  int fd;
  int outstanding;
  uint64_t sent_at;
  size_t used;
  char bytes[BUFFER];
};

static char requests[REQUESTS][ROOM];
static size_t lengths[REQUESTS];
static unsigned next_request;

static int ask(struct connection *c, int pipeline) {
  char out[ROOM * 64];
  size_t length = 0;
  for (int i = 0; i < pipeline; i++) {
    unsigned n = next_request++ % REQUESTS;
    memcpy(out + length, requests[n], lengths[n]);
    length += lengths[n];
  }
  c->sent_at = now_ns();
  c->outstanding = pipeline;
  return send(c->fd, out, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

// Takes the answers that have arrived. Returns -1 when this connection is of no more use.
static int take(struct connection *c, struct tally *tally) {
  ssize_t got = recv(c->fd, c->bytes + c->used, BUFFER - c->used, 0);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got <= 0) return note_error(tally, "connection closed", "", 0), -1;
  c->used += (size_t)got;
  size_t at = 0;
  while (c->outstanding > 0 && at < c->used) {
    ssize_t length = check_answer(c->bytes + at, c->used - at);
    if (length < 0) return note_error(tally, "wrong answer", c->bytes + at, c->used - at), -1;
    if (length == 0) break;
    at += (size_t)length;
    c->outstanding--;
    tally->requests++;
    record_latency(now_ns() - c->sent_at);
  }
  if (c->outstanding == 0 && at < c->used) return note_error(tally, "more than was asked for", "", 0), -1;
  if (at == 0 && c->used == BUFFER) return note_error(tally, "endless answer", "", 0), -1;
  memmove(c->bytes, c->bytes + at, c->used - at);
  c->used -= at;
  return 0;
}

int run_http(int port, int count, double seconds, int pipeline) {
  struct tally tally = {0};
  if (pipeline < 1 || pipeline > 64) return 2;
  for (unsigned n = 0; n < REQUESTS; n++) lengths[n] = write_request(requests[n], ROOM, port, n);
  struct connection *all = calloc((size_t)count, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; i++) {
    all[i].fd = dial(port, 0);
    if (all[i].fd < 0) return perror("load: connect"), 1;
    set_nonblocking(all[i].fd);
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
  }
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9);
  int open = count;
  int asking = count; // connections with an answer outstanding; the last ones are waited for
  for (int i = 0; i < count; i++) ask(&all[i], pipeline);
  while (open > 0 && asking > 0) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    if (ready == 0) {
      note_error(&tally, "no answer for 2 s", "", 0);
      break;
    }
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (take(c, &tally) < 0) {
        close(c->fd);
        open--;
        asking--;
      } else if (c->outstanding == 0) {
        if (now_ns() < deadline && ask(c, pipeline) == 0) continue;
        asking--;
      }
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return tally.errors > 0;
}
