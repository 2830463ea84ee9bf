// Holds connections that were each served once. Commands on stdin, one answer of JSON each:
//   hold N   opens more until there are N       check   counts those that the server has closed
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST = 60000, PER_SOURCE = 10000 };

static int held[MOST];

static int open_one(int port, unsigned n) {
  int fd = dial(port, (int)(2 + n / PER_SOURCE));
  if (fd < 0) return -1;
  char request[256], answer[4096];
  size_t length = write_request(request, sizeof request, port, n), used = 0;
  if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) return -1;
  for (;;) {
    ssize_t got = recv(fd, answer + used, sizeof answer - used, 0);
    if (got <= 0) return -1;
    used += (size_t)got;
    ssize_t whole = check_answer(answer, used);
    if (whole > 0) return fd;
    if (whole < 0 || used == sizeof answer) return errno = EPROTO, -1;
  }
}

int run_idle(int port) {
  char line[64];
  unsigned count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    unsigned wanted;
    if (sscanf(line, "hold %u", &wanted) == 1 && wanted <= MOST) {
      while (count < wanted) {
        int fd = open_one(port, count);
        if (fd < 0) return fprintf(stderr, "load: connection %u: %s\n", count, strerror(errno)), 1;
        held[count++] = fd;
      }
    }
    unsigned closed = 0;
    char byte;
    for (unsigned i = 0; i < count; i++) closed += recv(held[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    printf("{\"held\":%u,\"closed\":%u}\n", count, closed);
    fflush(stdout);
  }
  return 0;
}
