// The limit of what moves bytes: one epoll loop that echoes, takes, gives, or only accepts.
//   stream-server echo|take|give|close PORT
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, CHUNK = 65536 };

static char bytes[CHUNK];
static uint64_t *received; // by descriptor

static void drop(int fd) {
  received[fd] = 0;
  close(fd);
}

// Messages are small and awaited one by one: what is echoed always fits.
static void echo(int fd) {
  ssize_t length = recv(fd, bytes, sizeof bytes, 0);
  if (length == 0 || (length < 0 && errno != EAGAIN)) return drop(fd);
  if (length > 0 && send(fd, bytes, (size_t)length, MSG_NOSIGNAL) != length) drop(fd);
}

// Counts what it is sent, and says at the end how much that was.
static void take(int fd) {
  ssize_t length = recv(fd, bytes, sizeof bytes, 0);
  if (length > 0) received[fd] += (uint64_t)length;
  if (length > 0 || (length < 0 && errno == EAGAIN)) return;
  char answer[32];
  int size = snprintf(answer, sizeof answer, "%llu", (unsigned long long)received[fd]);
  if (length == 0) send(fd, answer, (size_t)size, MSG_NOSIGNAL);
  drop(fd);
}

static void give(int fd) {
  ssize_t length = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
  if (length < 0 && errno != EAGAIN) drop(fd);
}

int main(int argc, char **argv) {
  if (argc != 3) return fputs("usage: stream-server echo|take|give|close PORT\n", stderr), 2;
  void (*serve)(int) = strcmp(argv[1], "echo") == 0 ? echo : strcmp(argv[1], "take") == 0 ? take : strcmp(argv[1], "give") == 0 ? give : NULL;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  signal(SIGPIPE, SIG_IGN);
  received = calloc(limit.rlim_cur, sizeof *received);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((unsigned short)atoi(argv[2])),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  if (received == NULL || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
    perror("stream-server");
    return 1;
  }
  int poller = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        serve(fd);
        continue;
      }
      for (int n = 0; n < 64; n++) {
        int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) break;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = serve == give ? EPOLLOUT : EPOLLIN, .data.fd = accepted};
        if (serve == NULL) close(accepted);
        else epoll_ctl(poller, EPOLL_CTL_ADD, accepted, &event);
      }
    }
  }
}
