// Thousands of connections of which each asks now and then: after an answer it is silent for a random time, `pause` on
// average. All are open, and served once, before `ready` is printed; the measurement begins with a line on stdin, and
// ends with the tally. The connections are closed when stdin ends, so that neither coming nor going is measured.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, ROOM = 1024, SOURCES = 250, SLOTS = 8192 };

struct client {
  int fd;
  int next; // in its slot of the wheel
  uint64_t sent_at;
  size_t used;
  char bytes[ROOM];
};

static struct client *all;
static unsigned asked;

// Who asks in which millisecond: a wheel of lists.
static int wheel[SLOTS];

static void sleep_for(int i, uint64_t now_ms, uint64_t ms) {
  int *slot = &wheel[(now_ms + ms) % SLOTS];
  all[i].next = *slot;
  *slot = i;
}

static int ask(struct client *c, int port) {
  char request[256];
  size_t length = write_request(request, sizeof request, port, asked++ % 1024);
  c->sent_at = now_ns();
  return send(c->fd, request, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

// 1: the answer is whole. 0: not yet. -1: something is wrong, and noted.
static int take(struct client *c, struct tally *tally) {
  ssize_t got = recv(c->fd, c->bytes + c->used, ROOM - c->used, 0);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got <= 0) return note_error(tally, "connection closed", "", 0), -1;
  c->used += (size_t)got;
  ssize_t whole = check_answer(c->bytes, c->used);
  if (whole == 0 && c->used < ROOM) return 0;
  if (whole != (ssize_t)c->used) return note_error(tally, "wrong answer", c->bytes, c->used), -1;
  c->used = 0;
  return 1;
}

static int open_all(int port, int count, int poller) {
  for (int i = 0; i < count; i++) {
    struct client *c = &all[i];
    c->fd = dial(port, 1 + i % SOURCES);
    if (c->fd < 0 || ask(c, port) < 0) return -1;
    struct tally ignored = {0};
    int taken = 0;
    for (int tries = 0; taken == 0 && tries < 3; tries++) taken = take(c, &ignored); // it blocks, within SO_RCVTIMEO
    if (taken != 1) return errno = EPROTO, -1;
    set_nonblocking(c->fd);
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
  }
  return 0;
}

int run_active(int port, int count, double seconds, int pause_ms) {
  struct tally tally = {0};
  if (pause_ms < 0 || pause_ms >= SLOTS / 2) return 2;
  all = calloc((size_t)count, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  if (open_all(port, count, poller) < 0) return perror("load: connect"), 1;
  char line[16];
  puts("ready");
  fflush(stdout);
  if (fgets(line, sizeof line, stdin) == NULL) return 1;

  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9), turn = start / 1000000;
  memset(wheel, -1, sizeof wheel);
  for (int i = 0; i < count; i++) sleep_for(i, turn, 1 + (uint64_t)rand() % (2 * (uint64_t)pause_ms + 1));
  int waiting = 0;
  uint64_t heard = start;
  while (tally.errors == 0 && (now_ns() < deadline || waiting > 0)) {
    uint64_t now = now_ns();
    for (; turn < now / 1000000; turn++) {
      int *slot = &wheel[(turn + 1) % SLOTS];
      for (int i = *slot, next; i >= 0; i = next) {
        next = all[i].next;
        if (now >= deadline) continue;
        if (ask(&all[i], port) < 0) note_error(&tally, "send", "", 0);
        else waiting++;
      }
      *slot = -1;
    }
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, 0);
    if (ready > 0 || waiting == 0) heard = now;
    else if (now - heard > 2000000000u) note_error(&tally, "no answer for 2 s", "", 0);
    for (int i = 0; i < ready && tally.errors == 0; i++) {
      struct client *c = events[i].data.ptr;
      if (take(c, &tally) != 1) continue;
      waiting--;
      tally.requests++;
      uint64_t at = now_ns();
      record_latency(at - c->sent_at);
      if (at >= deadline) continue;
      if (pause_ms > 0) sleep_for((int)(c - all), at / 1000000, 1 + (uint64_t)rand() % (2 * (uint64_t)pause_ms));
      else if (ask(c, port) < 0) note_error(&tally, "send", "", 0);
      else waiting++;
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  while (fgets(line, sizeof line, stdin) != NULL);
  return tally.errors > 0;
}
