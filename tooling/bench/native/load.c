// The load generator, a process of its own so that its work is not counted as the server's.
//   load http PORT CONNECTIONS SECONDS [PIPELINE]   load ws PORT CONNECTIONS SECONDS BYTES   load idle PORT
//   load echo PORT CONNECTIONS SECONDS BYTES        load upload PORT SECONDS                 load download PORT SECONDS
//   load churn PORT CONNECTIONS SECONDS             load storm PORT CROWD BYTES
//   load connect PORT CONNECTIONS SECONDS           load active PORT CONNECTIONS SECONDS PAUSE-MS
//   load get PORT CONNECTIONS SECONDS BYTES [PAUSE-US]   load put PORT SECONDS BYTES
//   load slowloris PORT DRIPPING HONEST SECONDS
#include "load.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char BODY[] = "Hello, world";

// Latencies by whole microseconds; whatever took longer than the last slot is counted in it.
enum { SLOTS = 2000000 };
static uint32_t latencies[SLOTS];

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int dial(int port, int source) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (source != 0) {
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    address.sin_addr.s_addr = htonl(0x7f000000u | (unsigned)source);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return close(fd), -1;
  }
  address.sin_port = htons((unsigned short)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return close(fd), -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10}, sizeof(struct timeval));
  return fd;
}

int dial_async(int port, int source) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u | (unsigned)source)};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return close(fd), -1;
  address.sin_port = htons((unsigned short)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) return close(fd), -1;
  return fd;
}

void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

void record_latency(uint64_t ns) {
  uint64_t slot = ns / 1000;
  latencies[slot < SLOTS ? slot : SLOTS - 1]++;
}

static unsigned percentile(uint64_t total, double share) {
  uint64_t seen = 0, wanted = (uint64_t)((double)total * share);
  for (unsigned slot = 0; slot < SLOTS; slot++) {
    seen += latencies[slot];
    if (seen > wanted) return slot;
  }
  return seen == 0 ? 0 : SLOTS - 1; // 0: a transfer, of which nothing is a latency
}

void note_error(struct tally *tally, const char *what, const char *bytes, size_t length) {
  if (tally->errors++ > 0) return;
  size_t used = (size_t)snprintf(tally->first_error, sizeof tally->first_error, "%s", what);
  if (length > 0) used += (size_t)snprintf(tally->first_error + used, sizeof tally->first_error - used, ": ");
  for (size_t i = 0; i < length && used + 1 < sizeof tally->first_error; i++) {
    char c = bytes[i];
    tally->first_error[used++] = isprint((unsigned char)c) && c != '"' && c != '\\' ? c : ' ';
  }
  tally->first_error[used] = 0;
}

void print_tally(const struct tally *tally) {
  printf("{\"requests\":%llu,\"errors\":%llu,\"seconds\":%.6f,\"p50Us\":%u,\"p99Us\":%u,\"firstError\":\"%s\"}\n",
      (unsigned long long)tally->requests, (unsigned long long)tally->errors, tally->seconds,
      percentile(tally->requests, 0.5), percentile(tally->requests, 0.99), tally->first_error);
  fflush(stdout);
}

ssize_t check_answer(const char *bytes, size_t length) {
  static const char status[] = "HTTP/1.1 200 ";
  size_t known = length < sizeof status - 1 ? length : sizeof status - 1;
  if (memcmp(bytes, status, known) != 0) return -1;
  const char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  long body = -1;
  for (const char *line = bytes; line < end; line++) {
    line = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
    if (strncasecmp(line + 2, "content-length:", 15) == 0) body = atol(line + 17);
    line++;
  }
  if (body != (long)sizeof BODY - 1) return -1;
  size_t whole = (size_t)(end - bytes) + 4 + (size_t)body;
  if (length < whole) return 0;
  return memcmp(end + 4, BODY, (size_t)body) == 0 ? (ssize_t)whole : -1;
}

size_t write_request(char *out, size_t room, int port, unsigned n) {
  unsigned mixed = (n + 1) * 2654435761u;
  return (size_t)snprintf(out, room,
      "GET /?page=%u HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: load/%u.%u\r\nAccept: text/plain;q=0.%u, */*\r\n"
      "X-Request-Id: %08x-%u\r\n\r\n",
      n, port, n % 7, n % 31, 1 + n % 9, mixed, n);
}

int wait_awake(int poller, struct epoll_event *events, int room) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) return epoll_wait(poller, events, room, 2000);
  uint64_t deadline = now_ns() + 2000000000u;
  for (;;) {
    int ready = epoll_wait(poller, events, room, 0);
    if (ready != 0 || now_ns() >= deadline) return ready;
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (argc == 3 && strcmp(argv[1], "idle") == 0) return run_idle(atoi(argv[2]));
  if (argc >= 5 && strcmp(argv[1], "http") == 0) {
    return run_http(atoi(argv[2]), atoi(argv[3]), atof(argv[4]), argc > 5 ? atoi(argv[5]) : 1);
  }
  if (argc == 6 && strcmp(argv[1], "ws") == 0) {
    return run_websocket(atoi(argv[2]), atoi(argv[3]), atof(argv[4]), (size_t)atol(argv[5]));
  }
  if (argc == 6 && strcmp(argv[1], "echo") == 0) {
    return run_echo(atoi(argv[2]), atoi(argv[3]), atof(argv[4]), (size_t)atol(argv[5]));
  }
  if (argc == 4 && strcmp(argv[1], "upload") == 0) return run_upload(atoi(argv[2]), atof(argv[3]));
  if (argc == 4 && strcmp(argv[1], "download") == 0) return run_download(atoi(argv[2]), atof(argv[3]));
  if (argc == 5 && strcmp(argv[1], "churn") == 0) return run_churn(atoi(argv[2]), atoi(argv[3]), atof(argv[4]));
  if (argc == 5 && strcmp(argv[1], "storm") == 0) return run_storm(atoi(argv[2]), atoi(argv[3]), (size_t)atol(argv[4]));
  if (argc == 5 && strcmp(argv[1], "connect") == 0) return run_connect(atoi(argv[2]), atoi(argv[3]), atof(argv[4]));
  if (argc == 6 && strcmp(argv[1], "active") == 0) {
    return run_active(atoi(argv[2]), atoi(argv[3]), atof(argv[4]), atoi(argv[5]));
  }
  if (argc >= 6 && strcmp(argv[1], "get") == 0) {
    return run_get(atoi(argv[2]), atoi(argv[3]), atof(argv[4]), strtoull(argv[5], NULL, 10), argc > 6 ? atoi(argv[6]) : 0);
  }
  if (argc == 5 && strcmp(argv[1], "put") == 0) return run_put(atoi(argv[2]), atof(argv[3]), strtoull(argv[4], NULL, 10));
  if (argc == 6 && strcmp(argv[1], "slowloris") == 0) {
    return run_slowloris(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
  }
  fprintf(stderr, "usage: load http|ws|idle|echo|upload|download|churn|storm|connect|active|get|put|slowloris PORT …, see load.c\n");
  return 2;
}
