// A new connection for every request: connect, ask with `Connection: close`, take the answer, and close when the server
// has. A server that leaves the connection open, or says more than it was asked, voids its row.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, ROOM = 4096, SOURCES = 250 };

struct visit {
  int fd;
  int asked;
  uint64_t began_at;
  size_t used;
  char bytes[ROOM];
};

static int poller;
static unsigned visits;

// Many source addresses: the ports of closed connections stay taken for a minute.
static int set_out(struct visit *v, int port) {
  v->asked = 0;
  v->used = 0;
  v->began_at = now_ns();
  v->fd = dial_async(port, (int)(1 + visits++ % SOURCES));
  if (v->fd < 0) return -1;
  return epoll_ctl(poller, EPOLL_CTL_ADD, v->fd, &(struct epoll_event){.events = EPOLLOUT, .data.ptr = v});
}

static int ask(struct visit *v, int port) {
  int error = 0;
  getsockopt(v->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
  if (error != 0) return errno = error, -1;
  char request[512];
  size_t length = write_request(request, sizeof request, port, visits % 1024);
  length -= 2; // one field more before the empty line
  length += (size_t)snprintf(request + length, sizeof request - length, "Connection: close\r\n\r\n");
  if (send(v->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) return -1;
  v->asked = 1;
  return epoll_ctl(poller, EPOLL_CTL_MOD, v->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = v});
}

// 1: answered and closed. 0: not yet. -1: something is wrong, and noted.
static int take(struct visit *v, struct tally *tally) {
  ssize_t got = recv(v->fd, v->bytes + v->used, ROOM - v->used, 0);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got < 0) return note_error(tally, strerror(errno), "", 0), -1;
  if (got > 0) {
    v->used += (size_t)got;
    if (v->used == ROOM) return note_error(tally, "endless answer", v->bytes, v->used), -1;
    return check_answer(v->bytes, v->used) < 0 ? note_error(tally, "wrong answer", v->bytes, v->used), -1 : 0;
  }
  if (check_answer(v->bytes, v->used) != (ssize_t)v->used || v->used == 0)
    return note_error(tally, "closed without one whole answer", v->bytes, v->used), -1;
  return 1;
}

int run_connect(int port, int count, double seconds) {
  struct tally tally = {0};
  struct visit *all = calloc((size_t)count, sizeof *all);
  poller = epoll_create1(EPOLL_CLOEXEC);
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9);
  int going = 0;
  for (int i = 0; i < count; i++, going++)
    if (set_out(&all[i], port) < 0) return perror("load: connect"), 1;
  while (going > 0 && tally.errors == 0) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    if (ready == 0) note_error(&tally, "no answer, or no end, for 2 s", "", 0);
    for (int i = 0; i < ready && tally.errors == 0; i++) {
      struct visit *v = events[i].data.ptr;
      if (!v->asked) {
        if (ask(v, port) < 0) note_error(&tally, strerror(errno), "", 0);
        continue;
      }
      if (take(v, &tally) != 1) continue;
      close(v->fd);
      tally.requests++;
      record_latency(now_ns() - v->began_at);
      going--;
      if (now_ns() >= deadline) continue;
      if (set_out(v, port) < 0) note_error(&tally, strerror(errno), "", 0);
      else going++;
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return tally.errors > 0;
}
