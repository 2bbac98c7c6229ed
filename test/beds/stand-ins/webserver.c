// A web server under another's name, for images that only have to answer: `/usr/sbin/NAME PORT`.
// It writes /var/run/NAME.pid, says its name, titles itself "NAME: master process" and sends 200.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char kAnswer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

static int listener(int port) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr*)&place, sizeof place) || listen(fd, 64)) {
    perror("listen");
    exit(1);
  }
  return fd;
}

// The whole request is read before the answer: a socket closed with unread bytes resets the peer.
static void answer(int peer) {
  char request[4096];
  size_t have = 0;
  for (ssize_t got; have < sizeof request - 1; have += (size_t)got) {
    got = read(peer, request + have, sizeof request - 1 - have);
    if (got <= 0) break;
    request[have + (size_t)got] = 0;
    if (strstr(request, "\r\n\r\n")) break;
  }
  if (write(peer, kAnswer, sizeof kAnswer - 1) < 0) perror("write");
  close(peer);
}

int main(int count, char** words) {
  if (count == 2) {  // the title is argv[0], and changes only by executing again
    char* name = strrchr(words[0], '/');
    name = name ? name + 1 : words[0];
    char title[128];
    snprintf(title, sizeof title, "%s: master process", name);
    execl(words[0], title, words[1], name, (char*)0);
  }
  if (count != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  char path[128];
  snprintf(path, sizeof path, "/var/run/%s.pid", words[2]);
  FILE* file = fopen(path, "w");
  if (file) {
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
  }
  int fd = listener(atoi(words[1]));
  printf("%s serves port %s\n", words[2], words[1]);
  fflush(stdout);
  for (;;) {
    int peer = accept(fd, 0, 0);
    if (peer >= 0) answer(peer);
  }
}
