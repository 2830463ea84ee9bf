// WebSocket connections that each send a message and wait for its echo, whose every byte is compared.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 16, EVENTS = 256, TEXT = 1, BINARY = 2 };

struct message {
  unsigned char *payload, *frame;
  size_t frame_length;
};

struct connection {
  int fd;
  unsigned message;         // the one that is out and whose echo is awaited
  size_t written;           // bytes of its frame that the kernel took
  size_t echoed;            // bytes of its payload that came back
  unsigned char header[10]; // of the frame that is arriving
  size_t header_length;
  uint64_t payload_left;
  int in_payload, final;
  int waiting;              // whether EPOLLOUT is armed
  uint64_t sent_at;
};

static struct message messages[MESSAGES];
static size_t message_size;
static int message_opcode;
static int poller;

// RFC 6455 §5.2: a client's frame, masked.
static void prepare(struct message *m, size_t size) {
  m->payload = malloc(size);
  m->frame = malloc(size + 14);
  unsigned char *at = m->frame, mask[4];
  *at++ = (unsigned char)(0x80 | message_opcode);
  if (size < 126) *at++ = (unsigned char)(0x80 | size);
  else if (size < 65536) {
    *at++ = 0x80 | 126;
    for (int shift = 8; shift >= 0; shift -= 8) *at++ = (unsigned char)(size >> shift);
  } else {
    *at++ = 0x80 | 127;
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (unsigned char)((uint64_t)size >> shift);
  }
  for (int i = 0; i < 4; i++) *at++ = mask[i] = (unsigned char)rand();
  for (size_t i = 0; i < size; i++) {
    m->payload[i] = (unsigned char)(message_opcode == TEXT ? ' ' + rand() % 95 : rand());
    *at++ = m->payload[i] ^ mask[i & 3];
  }
  m->frame_length = (size_t)(at - m->frame);
}

static int handshake(int port) {
  static const char accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; // RFC 6455 §1.3, for the key below
  int fd = dial(port, 0);
  if (fd < 0) return -1;
  char request[512], answer[4096];
  int length = snprintf(request, sizeof request,
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", port);
  if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length) return -1;
  size_t used = 0;
  while (memmem(answer, used, "\r\n\r\n", 4) == NULL) {
    ssize_t got = recv(fd, answer + used, sizeof answer - used, 0);
    if (got <= 0) return -1;
    used += (size_t)got;
  }
  if (memcmp(answer, "HTTP/1.1 101", 12) != 0 || memmem(answer, used, accept, sizeof accept - 1) == NULL) return errno = EPROTO, -1;
  set_nonblocking(fd);
  return fd;
}

// Sends what is left of the frame; EPOLLOUT is armed only while the kernel takes no more.
static void push(struct connection *c) {
  const struct message *m = &messages[c->message];
  ssize_t sent = send(c->fd, m->frame + c->written, m->frame_length - c->written, MSG_NOSIGNAL);
  if (sent > 0) c->written += (size_t)sent;
  int waiting = c->written < m->frame_length;
  if (waiting == c->waiting) return;
  c->waiting = waiting;
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){.events = EPOLLIN | (waiting ? EPOLLOUT : 0), .data.ptr = c});
}

static void send_next(struct connection *c) {
  c->message = (c->message + 1) % MESSAGES;
  c->written = c->echoed = 0;
  c->sent_at = now_ns();
  push(c);
}

// The header of a server's frame: 2, 4 or 10 bytes, never masked. Returns what is wrong with it.
static const char *read_header(struct connection *c) {
  int opcode = c->header[0] & 15;
  if (opcode != (c->echoed > 0 ? 0 : message_opcode)) return "unexpected opcode";
  if (c->header[1] & 0x80) return "masked by the server";
  unsigned length = c->header[1] & 127;
  size_t wanted = length == 126 ? 4 : length == 127 ? 10 : 2;
  if (c->header_length < wanted) return NULL;
  uint64_t payload = length;
  if (wanted > 2) payload = 0;
  for (size_t i = 2; i < wanted; i++) payload = payload << 8 | c->header[i];
  c->final = c->header[0] >> 7;
  c->payload_left = payload;
  c->in_payload = 1;
  c->header_length = 0;
  return c->echoed + payload > message_size ? "longer than what was sent" : NULL;
}

// Feeds bytes to the connection. Returns what is wrong with them.
static const char *feed(struct connection *c, const unsigned char *bytes, size_t length, struct tally *tally) {
  for (size_t at = 0; at < length || (c->in_payload && c->payload_left == 0);) {
    if (!c->in_payload) {
      c->header[c->header_length++] = bytes[at++];
      const char *wrong = c->header_length >= 2 ? read_header(c) : NULL;
      if (wrong != NULL) return wrong;
      continue;
    }
    size_t part = c->payload_left < length - at ? c->payload_left : length - at;
    if (memcmp(bytes + at, messages[c->message].payload + c->echoed, part) != 0) return "not what was sent";
    at += part;
    c->echoed += part;
    c->payload_left -= part;
    if (c->payload_left > 0) continue;
    c->in_payload = 0;
    if (!c->final) continue;
    if (c->echoed != message_size || at != length) return "shorter than what was sent";
    tally->requests++;
    record_latency(now_ns() - c->sent_at);
    c->message |= MESSAGES; // answered
  }
  return NULL;
}

int run_websocket(int port, int count, double seconds, size_t size) {
  static unsigned char bytes[262144];
  struct tally tally = {0};
  message_size = size;
  message_opcode = size <= 1024 ? TEXT : BINARY;
  for (int i = 0; i < MESSAGES; i++) prepare(&messages[i], size);
  struct connection *all = calloc((size_t)count, sizeof *all);
  poller = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; i++) {
    all[i].fd = handshake(port);
    all[i].message = (unsigned)i % MESSAGES;
    if (all[i].fd < 0) return perror("load: WebSocket handshake"), 1;
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &all[i]});
  }
  uint64_t start = now_ns(), deadline = start + (uint64_t)(seconds * 1e9);
  int asking = count;
  for (int i = 0; i < count; i++) send_next(&all[i]);
  while (asking > 0) {
    struct epoll_event events[EVENTS];
    int ready = wait_awake(poller, events, EVENTS);
    if (ready == 0) {
      note_error(&tally, "no echo for 2 s", "", 0);
      break;
    }
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) push(c);
      if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
      if (got < 0 && errno == EAGAIN) continue;
      const char *wrong = got <= 0 ? "connection closed" : feed(c, bytes, (size_t)got, &tally);
      if (wrong != NULL) {
        note_error(&tally, wrong, "", 0);
        close(c->fd);
        asking--;
      } else if (c->message >= MESSAGES) {
        c->message -= MESSAGES;
        if (now_ns() < deadline) send_next(c);
        else asking--;
      }
    }
  }
  tally.seconds = (double)(now_ns() - start) / 1e9;
  print_tally(&tally);
  return tally.errors > 0;
}
