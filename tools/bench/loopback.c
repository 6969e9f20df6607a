/* loopback send|sendfile MIB FILE: one process sends that much to another over loopback; prints MB/s.
   FILE holds 1 MiB, which `sendfile` sends again and again. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static void die(const char *what) { perror(what); exit(1); }

static void send_all(int to, int with_sendfile, long mib, int file) {
    char *buffer = malloc(MIB);
    memset(buffer, 'x', MIB);
    for (long n = 0; n < mib; n++) {
        off_t at = 0;
        for (size_t done = 0; done < MIB;) {
            ssize_t sent = with_sendfile ? sendfile(to, file, &at, MIB - done) : send(to, buffer + done, MIB - done, 0);
            if (sent <= 0) die("send");
            done += sent;
        }
    }
    free(buffer);
}

int main(int count, char **words) {
    if (count != 4) { fprintf(stderr, "usage: loopback send|sendfile MIB FILE\n"); return 2; }
    long mib = atol(words[2]);
    int file = open(words[3], O_RDONLY), one = 1;
    if (file < 0) die(words[3]);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    if (bind(listener, (void *)&at, length) || listen(listener, 1) || getsockname(listener, (void *)&at, &length)) die("listen");
    if (fork() == 0) {
        int to = accept(listener, NULL, NULL);
        setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        send_all(to, strcmp(words[1], "sendfile") == 0, mib, file);
        close(to);
        _exit(0);
    }
    int from = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(from, (void *)&at, length)) die("connect");
    char *buffer = malloc(MIB);
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    long long total = 0;
    for (ssize_t size; (size = recv(from, buffer, MIB, MSG_WAITALL)) > 0;) total += size;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    wait(NULL);
    if (total != (long long)mib * MIB) { fprintf(stderr, "only %lld bytes came\n", total); return 1; }
    double seconds = (ended.tv_sec - began.tv_sec) + (ended.tv_nsec - began.tv_nsec) / 1e9;
    printf("%.1f\n", total / 1e6 / seconds);
    return 0;
}
