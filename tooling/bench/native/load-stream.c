// Plain TCP: echoes that are awaited one by one, bytes in one direction, connections that only come and go, and a crowd
// that comes at once.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, CHUNK = 256 * 1024, MEBIBYTE = 1024 * 1024 };

struct echo {
  int fd;
  int connected;
  unsigned turn; // which message is out: each differs from the one before
  size_t echoed;
  uint64_t sent_at;
};

static char *messages[16];
static size_t message_size;

static void prepare(size_t size) {
  message_size = size;
  for (int i = 0; i < 16; i++) {
    messages[i] = malloc(size);
    for (size_t at = 0; at < size; at++) messages[i][at] = (char)rand();
  }
}

static int ask(struct echo *c) {
  c->turn = (c->turn + 1) % 16;
  c->echoed = 0;
  c->sent_at = now_ns();
  return send(c->fd, messages[c->turn], message_size, MSG_NOSIGNAL) == (ssize_t)message_size ? 0 : -1;
}

// 1: the echo is complete. 0: not yet. -1: it is not what was sent, or the connection is gone.
static int hear(struct echo *c, struct tally *tally) {
  static char bytes[65536];
  ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got <= 0) return note_error(tally, "connection closed", "", 0), -1;
  if (c->echoed + (size_t)got > message_size || memcmp(messages[c->turn] + c->echoed, bytes, (size_t)got) != 0)
    return note_error(tally, "not an echo", bytes, (size_t)got), -1;
  c->echoed += (size_t)got;
  if (c->echoed < message_size) return 0;
  tally->requests++;
  record_latency(now_ns() - c->sent_at);
  return 1;
}

int run_echo(int port, int count, double seconds, size_t size) {
  struct tally tally = {0};
  prepare(size);
  struct echo *all = calloc((size_t)count, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; i++) {
    all[i].fd = dial(port, 0);
    if (all[i].fd < 0) return perror("load: connect"), 1;
    set_nonblocking(all[i].fd);
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
  }
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9);
  int asking = count;
  for (int i = 0; i < count; i++) ask(&all[i]);
  while (asking > 0 && tally.errors == 0) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    if (ready == 0) {
      note_error(&tally, "no echo for two seconds", "", 0);
      break;
    }
    for (int i = 0; i < ready; i++) {
      struct echo *c = events[i].data.ptr;
      if (hear(c, &tally) != 1) continue;
      if (now_ns() >= deadline) asking--;
      else if (ask(c) < 0) note_error(&tally, "send", "", 0);
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return 0;
}

// Sends as fast as the server takes it; what counts is what the server says that it received, at the end.
int run_upload(int port, double seconds) {
  struct tally tally = {0};
  prepare(CHUNK);
  int fd = dial(port, 0);
  if (fd < 0) return perror("load: connect"), 1;
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9), sent = 0;
  while (now_ns() < deadline) {
    ssize_t took = send(fd, messages[0], CHUNK, MSG_NOSIGNAL);
    if (took < 0) {
      note_error(&tally, "send", "", 0);
      break;
    }
    sent += (uint64_t)took;
  }
  shutdown(fd, SHUT_WR);
  char answer[64] = {0};
  ssize_t got = recv(fd, answer, sizeof answer - 1, MSG_WAITALL);
  if (got <= 0 || strtoull(answer, NULL, 10) != sent) note_error(&tally, "bytes were lost", answer, got > 0 ? (size_t)got : 0);
  tally.seconds = (double)(now_ns() - start) / 1e9;
  tally.requests = sent / MEBIBYTE;
  print_tally(&tally);
  return 0;
}

// Receives as fast as the server sends.
int run_download(int port, double seconds) {
  struct tally tally = {0};
  char *bytes = malloc(CHUNK);
  int fd = dial(port, 0);
  if (fd < 0) return perror("load: connect"), 1;
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9), received = 0;
  while (now_ns() < deadline) {
    ssize_t got = recv(fd, bytes, CHUNK, 0);
    if (got <= 0) {
      note_error(&tally, "the server stopped sending", "", 0);
      break;
    }
    received += (uint64_t)got;
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  tally.requests = received / MEBIBYTE;
  print_tally(&tally);
  return 0;
}

// The server accepts and closes; we connect, wait for the end, and close.
int run_churn(int port, int count, double seconds) {
  struct tally tally = {0};
  struct echo *all = calloc((size_t)count, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  unsigned dialled = 0;
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9);
  int going = 0;
  for (int i = 0; i < count; i++, going++) {
    // Many source addresses: the ports of closed connections stay taken for a minute.
    all[i].fd = dial_async(port, (int)(1 + dialled++ % 250));
    all[i].sent_at = now_ns();
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
  }
  while (going > 0 && tally.errors == 0) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    if (ready == 0) note_error(&tally, "no end for two seconds", "", 0);
    for (int i = 0; i < ready; i++) {
      struct echo *c = events[i].data.ptr;
      char byte;
      ssize_t got = recv(c->fd, &byte, 1, 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got != 0) note_error(&tally, got > 0 ? "bytes instead of an end" : strerror(errno), "", 0);
      close(c->fd);
      tally.requests++;
      record_latency(now_ns() - c->sent_at);
      going--;
      if (now_ns() >= deadline || tally.errors > 0) continue;
      c->fd = dial_async(port, (int)(1 + dialled++ % 250));
      if (c->fd < 0) {
        note_error(&tally, strerror(errno), "", 0);
        continue;
      }
      c->sent_at = now_ns();
      epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
      going++;
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return 0;
}

// 64 connections go on asking while `crowd` others connect at once and ask one thing each. `requests` is how many of the
// crowd were answered, `seconds` when the last of them was; percentiles are those of the crowd, from the moment at which
// all began to connect. Gives up after ten seconds.
int run_storm(int port, int crowd, size_t size) {
  enum { BUSY = 64 };
  struct tally tally = {0}, busy = {0};
  prepare(size);
  int count = BUSY + crowd;
  struct echo *all = calloc((size_t)count, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < BUSY; i++) {
    all[i].fd = dial(port, 0);
    if (all[i].fd < 0) return perror("load: connect"), 1;
    set_nonblocking(all[i].fd);
    all[i].connected = 1;
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
    ask(&all[i]);
  }
  uint64_t start = now_ns(), last = start;
  for (int i = BUSY; i < count; i++) {
    all[i].fd = dial_async(port, 1 + i % 250);
    if (all[i].fd < 0) return perror("load: connect"), 1;
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLOUT, .data.ptr = &all[i]});
  }
  int waiting = crowd;
  while (waiting > 0 && tally.errors == 0 && busy.errors == 0 && now_ns() - start < 10000000000u) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    for (int i = 0; i < ready; i++) {
      struct echo *c = events[i].data.ptr;
      if (!c->connected) {
        int error = 0;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
        if (error != 0) note_error(&tally, strerror(error), "", 0);
        c->connected = 1;
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
        if (ask(c) < 0) note_error(&tally, "send", "", 0);
        c->sent_at = start;
        continue;
      }
      int crowded = c >= all + BUSY;
      if (crowded) {
        if (hear(c, &tally) != 1) continue;
        last = now_ns();
        waiting--;
      } else {
        // The busy ones are load: their latencies are not the question.
        static char bytes[65536];
        ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) note_error(&busy, "a busy connection closed", "", 0);
        if (got <= 0) continue;
        c->echoed += (size_t)got;
        if (c->echoed >= message_size) ask(c);
      }
    }
  }
  if (waiting > 0 && tally.errors == 0) note_error(&tally, "not all were answered in ten seconds", "", 0);
  tally.errors += busy.errors;
  tally.seconds = (double)(last - start) / 1e9;
  print_tally(&tally);
  return 0;
}
