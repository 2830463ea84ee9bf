// The limit: one epoll loop that answers each request of a connection with a canned hello and nothing else. It finds
// the end of a head (CRLF CRLF, also across reads), counts, and writes as many answers as there were requests.
// With `close` every request is a connection's last: what the clients say with `Connection: close`.
//   server PORT        server close PORT
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, BATCH = 64 };

struct connection {
  unsigned owed;    // answers that are still to be written
  unsigned offset;  // bytes of the first of them that are written already
  unsigned matched; // how much of CRLF CRLF the last bytes were
  unsigned short waiting; // whether EPOLLOUT is armed
  unsigned short served;  // whether an answer was written
};

static char answer[256];
static unsigned answer_length;
static struct connection *connections;
static int poller;
static int closing; // every answer is a connection's last

// The Date header is as fresh as everybody's: made again once a second.
static void refresh_answer(void) {
  static time_t made;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec == made) return;
  made = now.tv_sec;
  char date[64];
  struct tm parts;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&made, &parts));
  answer_length = (unsigned)snprintf(answer, sizeof answer,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: %s\r\nContent-Length: 12\r\n\r\nHello, world", date);
}

static unsigned count_heads(struct connection *c, const char *bytes, ssize_t length) {
  unsigned heads = 0, matched = c->matched;
  for (ssize_t i = 0; i < length; i++) {
    char wanted = matched & 1 ? '\n' : '\r';
    matched = bytes[i] == wanted ? matched + 1 : bytes[i] == '\r';
    if (matched == 4) heads++, matched = 0;
  }
  c->matched = matched;
  return heads;
}

static void drop(int fd) {
  memset(&connections[fd], 0, sizeof *connections);
  close(fd);
}

static void arm(int fd, struct connection *c, unsigned waiting) {
  if (c->waiting == waiting) return;
  c->waiting = waiting;
  struct epoll_event event = {.events = EPOLLIN | (waiting ? EPOLLOUT : 0), .data.fd = fd};
  epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event);
}

// Writes what is owed; with nobody reading, the rest waits for EPOLLOUT.
static void flush(int fd, struct connection *c) {
  while (c->owed > 0) {
    struct iovec parts[BATCH];
    unsigned count = c->owed < BATCH ? c->owed : BATCH;
    for (unsigned i = 0; i < count; i++) parts[i] = (struct iovec){answer, answer_length};
    parts[0].iov_base = answer + c->offset;
    parts[0].iov_len = answer_length - c->offset;
    ssize_t written = count == 1 ? send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL) : writev(fd, parts, (int)count);
    if (written < 0 && errno == EAGAIN) return arm(fd, c, 1);
    if (written < 0) return drop(fd);
    unsigned done = c->offset + (unsigned)written;
    c->owed -= done / answer_length;
    c->served = 1;
    c->offset = done % answer_length;
  }
  if (closing && c->served) return drop(fd);
  arm(fd, c, 0);
}

static void serve(int fd, unsigned events) {
  static char bytes[65536];
  struct connection *c = &connections[fd];
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    if (length == 0 || (length < 0 && errno != EAGAIN)) return drop(fd);
    if (length > 0) c->owed += count_heads(c, bytes, length);
  }
  flush(fd, c);
}

static void accept_all(int listener) {
  for (int i = 0; i < 64; i++) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  signal(SIGPIPE, SIG_IGN);
  closing = argc == 3 && strcmp(argv[1], "close") == 0;
  connections = calloc(limit.rlim_cur, sizeof *connections);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((unsigned short)atoi(argc > 1 ? argv[argc - 1] : "0")),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  if (connections == NULL || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
    perror("server");
    return 1;
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, -1);
    refresh_answer();
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listener) accept_all(listener);
      else serve(events[i].data.fd, events[i].events);
    }
  }
}
