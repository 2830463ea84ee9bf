// Large bodies. `get` asks for one after the other on each connection and compares every byte; `put` sends one after the
// other on one connection, and hears how much of it arrived. What counts is MiB.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, CHUNK = 256 * 1024, HEAD = 4096, MEBIBYTE = 1024 * 1024 };

struct fetch {
  int fd;
  int in_body;
  uint64_t at; // bytes of the body that came
  uint64_t sent_at;
  size_t head_used;
  char head[HEAD];
};

static unsigned char *pattern; // one MiB, and a piece of the next: a body repeats it
static uint64_t wanted;

// The same bytes as the servers': see pattern.mjs.
static void make_pattern(void) {
  pattern = malloc(MEBIBYTE + CHUNK);
  for (uint32_t i = 0; i < MEBIBYTE + CHUNK; i++) pattern[i] = (unsigned char)((i % MEBIBYTE) * 2654435761u >> 24);
}

static int ask(struct fetch *f, int port) {
  char request[256];
  static unsigned n;
  size_t length = write_request(request, sizeof request, port, n++ % 1024);
  f->in_body = 0;
  f->at = f->head_used = 0;
  f->sent_at = now_ns();
  return send(f->fd, request, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

static const char *take_body(struct fetch *f, const char *bytes, size_t length) {
  if (f->at + length > wanted) return "more than was asked for";
  if (memcmp(pattern + f->at % MEBIBYTE, bytes, length) != 0) return "another body";
  f->at += length;
  return NULL;
}

// The head of an answer up to its empty line, then what of the body came with it.
static const char *take_head(struct fetch *f, const char *bytes, size_t length) {
  size_t before = f->head_used, part = length < HEAD - before ? length : HEAD - before;
  memcpy(f->head + before, bytes, part);
  f->head_used += part;
  const char *end = memmem(f->head, f->head_used, "\r\n\r\n", 4);
  if (end == NULL) return f->head_used == HEAD ? "endless head" : NULL;
  if (memcmp(f->head, "HTTP/1.1 200 ", 13) != 0) return "another status";
  uint64_t announced = 0;
  for (const char *line = f->head; line < end; line++) {
    line = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
    if (strncasecmp(line + 2, "content-length:", 15) == 0) announced = strtoull(line + 17, NULL, 10);
    line++;
  }
  if (announced != wanted) return "another length";
  f->in_body = 1;
  size_t taken = (size_t)(end + 4 - f->head) - before;
  return take_body(f, bytes + taken, length - taken);
}

int run_get(int port, int count, double seconds, uint64_t size, int pause_us) {
  static char bytes[CHUNK];
  struct tally tally = {0};
  wanted = size;
  make_pattern();
  struct fetch *all = calloc((size_t)count, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; i++) {
    all[i].fd = dial(port, 0);
    if (all[i].fd < 0) return perror("load: connect"), 1;
    set_nonblocking(all[i].fd);
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
  }
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9), total = 0, paused = 0;
  int asking = count;
  for (int i = 0; i < count; i++) ask(&all[i], port);
  while (asking > 0 && tally.errors == 0) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    if (ready == 0) note_error(&tally, "nothing came for 2 s", "", 0);
    for (int i = 0; i < ready && tally.errors == 0; i++) {
      struct fetch *f = events[i].data.ptr;
      ssize_t got = recv(f->fd, bytes, sizeof bytes, 0);
      if (got < 0 && errno == EAGAIN) continue;
      const char *wrong = got <= 0 ? "connection closed" : (f->in_body ? take_body : take_head)(f, bytes, (size_t)got);
      if (wrong != NULL) {
        note_error(&tally, wrong, bytes, got > 0 && !f->in_body ? (size_t)got : 0);
        continue;
      }
      total += (uint64_t)got;
      if (pause_us > 0 && total - paused >= MEBIBYTE) {
        paused = total;
        usleep((useconds_t)pause_us);
      }
      if (!f->in_body || f->at < wanted) continue;
      if (wanted == MEBIBYTE) record_latency(now_ns() - f->sent_at);
      tally.requests += wanted / MEBIBYTE;
      if (now_ns() >= deadline) asking--;
      else if (ask(f, port) < 0) note_error(&tally, "send", "", 0);
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return tally.errors > 0;
}

// The answer to an upload is the number of bytes that the server received.
static const char *hear_count(int fd, uint64_t sent) {
  char answer[HEAD] = {0};
  size_t used = 0;
  for (;;) {
    ssize_t got = recv(fd, answer + used, sizeof answer - 1 - used, 0);
    if (got <= 0) return "closed without an answer";
    used += (size_t)got;
    const char *end = memmem(answer, used, "\r\n\r\n", 4);
    if (end == NULL) continue;
    char expected[32];
    size_t length = (size_t)snprintf(expected, sizeof expected, "%llu", (unsigned long long)sent);
    if ((size_t)(answer + used - (end + 4)) < length) continue;
    if (memcmp(answer, "HTTP/1.1 200 ", 13) != 0) return "another status";
    return strcmp(end + 4, expected) == 0 ? NULL : "bytes were lost";
  }
}

int run_put(int port, double seconds, uint64_t size) {
  struct tally tally = {0};
  make_pattern();
  int fd = dial(port, 0);
  if (fd < 0) return perror("load: connect"), 1;
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9);
  do {
    char head[256];
    int length = snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %llu\r\n\r\n", port,
        (unsigned long long)size);
    send(fd, head, (size_t)length, MSG_NOSIGNAL);
    uint64_t sent = 0;
    while (sent < size) {
      size_t part = size - sent < CHUNK ? (size_t)(size - sent) : CHUNK;
      ssize_t took = send(fd, pattern + sent % MEBIBYTE, part, MSG_NOSIGNAL);
      if (took <= 0) break;
      sent += (uint64_t)took;
    }
    const char *wrong = sent < size ? "the server stopped receiving" : hear_count(fd, sent);
    if (wrong != NULL) note_error(&tally, wrong, "", 0);
    else tally.requests += size / MEBIBYTE;
  } while (tally.errors == 0 && now_ns() < deadline);
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return tally.errors > 0;
}
