// The limit of large bodies: one epoll loop that answers each request with the same MiB from memory, or with a file by
// sendfile(2), or counts the body of a request and answers with the count.
//   body-server body|file|upload PORT [FILE]
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EVENTS = 256, MEBIBYTE = 1024 * 1024, CHUNK = 262144, MOST = 20000 };

struct connection {
  int busy;          // an answer is being written (body, file)
  int file;          // what it is read from
  size_t written;    // of head and body
  uint64_t expected; // of a request's body, that is still to come
  uint64_t received;
};

static struct connection connections[MOST];
static unsigned char *body;
static char head[256];
static size_t head_length;
static int poller;
static const char *path;

static void drop(int fd) {
  if (connections[fd].file > 0) close(connections[fd].file);
  memset(&connections[fd], 0, sizeof connections[fd]);
  close(fd);
}

static void arm(int fd, uint32_t events) {
  epoll_ctl(poller, EPOLL_CTL_MOD, fd, &(struct epoll_event){.events = events, .data.fd = fd});
}

// One piece of the answer; what the kernel does not take waits for EPOLLOUT.
static ssize_t push(int fd, struct connection *c) {
  if (path != NULL && c->written >= head_length) {
    off_t at = (off_t)(c->written - head_length);
    return sendfile(fd, c->file, &at, MEBIBYTE - (size_t)at);
  }
  if (path != NULL) return send(fd, head + c->written, head_length - c->written, MSG_NOSIGNAL | MSG_MORE);
  size_t in_body = c->written > head_length ? c->written - head_length : 0;
  size_t in_head = c->written < head_length ? c->written : head_length;
  struct iovec parts[2] = {{head + in_head, head_length - in_head}, {body + in_body, MEBIBYTE - in_body}};
  return writev(fd, parts, 2);
}

static void answer(int fd) {
  struct connection *c = &connections[fd];
  while (c->written < head_length + MEBIBYTE) {
    ssize_t took = push(fd, c);
    if (took < 0 && errno == EAGAIN) return arm(fd, EPOLLOUT);
    if (took <= 0) return drop(fd);
    c->written += (size_t)took;
  }
  if (c->file > 0) close(c->file);
  memset(c, 0, sizeof *c);
  arm(fd, EPOLLIN);
}

static void begin(int fd) {
  connections[fd].busy = 1;
  if (path != NULL) connections[fd].file = open(path, O_RDONLY | O_CLOEXEC);
  answer(fd);
}

static void count(int fd, const char *bytes, size_t length) {
  struct connection *c = &connections[fd];
  if (c->expected == 0) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4), *field = strstr(bytes, "Content-Length: ");
    if (end == NULL || field == NULL || field > end) return drop(fd);
    c->expected = strtoull(field + 16, NULL, 10);
    length -= (size_t)(end + 4 - bytes);
  }
  c->received += length;
  if (c->received < c->expected) return;
  char text[128], number[32];
  int digits = snprintf(number, sizeof number, "%llu", (unsigned long long)c->received);
  int size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", digits, number);
  send(fd, text, (size_t)size, MSG_NOSIGNAL);
  memset(c, 0, sizeof *c);
}

static void serve(int fd, unsigned events, int upload) {
  static char bytes[CHUNK + 1];
  if (connections[fd].busy && (events & EPOLLOUT)) return answer(fd);
  ssize_t length = recv(fd, bytes, CHUNK, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) return drop(fd);
  bytes[length] = 0;
  // Requests without a body come one at a time, and are shorter than a segment.
  if (upload) count(fd, bytes, (size_t)length);
  else if (memmem(bytes, (size_t)length, "\r\n\r\n", 4) != NULL) begin(fd);
}

int main(int argc, char **argv) {
  if (argc < 3) return fputs("usage: body-server body|file|upload PORT [FILE]\n", stderr), 2;
  int upload = strcmp(argv[1], "upload") == 0;
  path = strcmp(argv[1], "file") == 0 ? getenv("BENCH_FILE") : NULL;
  signal(SIGPIPE, SIG_IGN);
  body = malloc(MEBIBYTE);
  for (uint32_t i = 0; i < MEBIBYTE; i++) body[i] = (unsigned char)(i * 2654435761u >> 24);
  head_length = (size_t)snprintf(head, sizeof head,
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", MEBIBYTE);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((unsigned short)atoi(argv[2])),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
    perror("body-server");
    return 1;
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd != listener) {
        serve(events[i].data.fd, events[i].events, upload);
        continue;
      }
      int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted < 0) continue;
      if (accepted >= MOST) close(accepted);
      else {
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        epoll_ctl(poller, EPOLL_CTL_ADD, accepted, &(struct epoll_event){.events = EPOLLIN, .data.fd = accepted});
      }
    }
  }
}
