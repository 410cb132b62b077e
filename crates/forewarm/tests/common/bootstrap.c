/* A custom runtime of AWS Lambda in a few lines, for tests: asks for events and does with them what its argument says. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGEST (8 << 20)

static int line = -1;
static char id[128], body[LARGEST], reply[1 << 16];

static void call_up(void) {
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (!api) {
        fprintf(stderr, "no AWS_LAMBDA_RUNTIME_API\n");
        exit(9);
    }
    char host[64];
    int port;
    if (sscanf(api, "%63[^:]:%d", host, &port) != 2) exit(9);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    line = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(line, (struct sockaddr *)&address, sizeof address)) {
        perror("connect");
        exit(9);
    }
}

static void say(const char *text, size_t length) {
    while (length) {
        ssize_t count = write(line, text, length);
        if (count <= 0) return;
        text += count;
        length -= count;
    }
}

/* Reads a reply; its status. The event's body and identifier, where it brings them, are kept. */
static int hear(void) {
    size_t have = 0;
    char *end = NULL;
    while (!end) {
        ssize_t count = read(line, reply + have, sizeof reply - 1 - have);
        if (count <= 0) return 0;
        have += count;
        reply[have] = 0;
        end = strstr(reply, "\r\n\r\n");
    }
    size_t length = 0;
    for (char *at = strstr(reply, "\r\n"); at && at < end; at = strstr(at + 2, "\r\n")) {
        if (!strncasecmp(at + 2, "content-length:", 15)) length = strtoul(at + 17, NULL, 10);
        if (!strncasecmp(at + 2, "lambda-runtime-aws-request-id:", 30)) sscanf(at + 32, " %127[^\r]", id);
    }
    if (length >= LARGEST) exit(9);
    size_t got = have - (end + 4 - reply);
    memcpy(body, end + 4, got);
    while (got < length) {
        ssize_t count = read(line, body + got, length - got);
        if (count <= 0) return 0;
        got += count;
    }
    body[length] = 0;
    return atoi(reply + 9);
}

static int next(void) {
    const char *request = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: lambda\r\n\r\n";
    say(request, strlen(request));
    return hear();
}

static int post(const char *path, const char *text, size_t length) {
    char head[512];
    int count = snprintf(head, sizeof head, "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: lambda\r\nContent-Length: %zu\r\n\r\n",
                         path, length);
    say(head, count);
    say(text, length);
    return hear();
}

static int answer(const char *what, const char *text, size_t length) {
    char path[256];
    snprintf(path, sizeof path, "invocation/%s/%s", id, what);
    return post(path, text, length);
}

int main(int count, char **arguments) {
    static char text[LARGEST + 256];
    const char *mode = count > 1 ? arguments[1] : "echo";
    const char *error = "{\"errorMessage\": \"it broke\", \"errorType\": \"Broken\", \"stackTrace\": [\"here\", \"there\"]}";
    if (!strcmp(mode, "exit")) exit(7);
    if (!strcmp(mode, "exit-zero")) exit(0);
    if (!strcmp(mode, "abort")) abort();
    if (!strcmp(mode, "slow")) usleep(300000);
    if (!strcmp(mode, "never")) pause();
    call_up();
    if (!strcmp(mode, "init-error")) {
        fprintf(stderr, "said %d\n", post("init/error", error, strlen(error)));
        exit(1);
    }
    for (int call = 1;; call++) {
        if (next() != 200) exit(4);
        if (!strcmp(mode, "die")) exit(3);
        if (!strcmp(mode, "hang")) pause();
        if (!strcmp(mode, "twice")) fprintf(stderr, "again %d\n", next());
        if (!strcmp(mode, "large")) {
            memset(text, 'x', 7 << 20);
            fprintf(stderr, "large %d\n", answer("response", text, 7 << 20));
            continue;
        }
        if (!strcmp(mode, "garbage")) {
            const char *nonsense = "what is this\r\n\r\n";
            say(nonsense, strlen(nonsense));
            fprintf(stderr, "nonsense %d\n", hear());
            close(line);
            call_up();
            fprintf(stderr, "stranger %d\n", post("invocation/stranger/response", "1", 1));
            fprintf(stderr, "nowhere %d\n", post("nowhere", "1", 1));
        }
        if (!strcmp(mode, "fail")) {
            answer("error", error, strlen(error));
            continue;
        }
        if (!strcmp(mode, "text")) {
            answer("response", "no json", 7);
            continue;
        }
        if (!strcmp(mode, "file")) {
            FILE *file = fopen("/tmp/left", "a");
            if (file) fclose(file);
        }
        if (!strcmp(mode, "busy")) {
            for (volatile int left = 50000000; left; left--) {
            }
        }
        if (!strcmp(mode, "spawn")) {
            if (!fork()) {
                pause();
                exit(0);
            }
        }
        printf("log %d\n", call);
        fflush(stdout);
        int length = snprintf(text, sizeof text,
                              "{\"event\": %s, \"call\": %d, \"handler\": \"%s\", \"name\": \"%s\", \"root\": \"%s\"}", body, call,
                              getenv("_HANDLER"), getenv("AWS_LAMBDA_FUNCTION_NAME"), getenv("LAMBDA_TASK_ROOT"));
        int status = answer("response", text, length);
        if (status != 202) exit(5);
        if (!strcmp(mode, "late")) exit(6);
    }
}
