// A client as a user of libtocsin writes it, for library_test.py:
//   probe consume      the example of tocsin.h, ended by its standard input
//   probe subscribe    prints "settled" when the subscription stands, then alerts and losses
#include <tocsin/tocsin.h>

#include <stdio.h>
#include <string.h>

static int consume(void)
{
    struct tocsin *tocsin;
    struct tocsin_event event;
    if (tocsin_open(NULL, &tocsin) != TOCSIN_OK ||
        tocsin_consume(tocsin, "desk", NULL) != TOCSIN_OK)
        return 1;
    while (tocsin_next(tocsin, -1, &event) >= 0) {
        if (event.kind != TOCSIN_ALERT)
            continue;
        printf("%s: %s\n", event.watch, event.title);
        fflush(stdout);
        if (tocsin_acknowledge(tocsin, event.seq) != TOCSIN_OK)
            fprintf(stderr, "%s\n", tocsin_error(tocsin));
    }
    fprintf(stderr, "%s\n", tocsin_error(tocsin));
    tocsin_close(tocsin);
    return 0;
}

static int subscribe(void)
{
    static const char *const filters[] = {"label.desk=asia"};
    const struct tocsin_stream stream = {.filters = filters, .filter_count = 1};
    struct tocsin *tocsin;
    struct tocsin_event event;
    if (tocsin_open(NULL, &tocsin) != TOCSIN_OK || tocsin_subscribe(tocsin, &stream) != TOCSIN_OK ||
        tocsin_settle(tocsin, 20000) != TOCSIN_OK)
        return 1;
    puts("settled");
    fflush(stdout);
    while (tocsin_next(tocsin, -1, &event) >= 0) {
        if (event.kind == TOCSIN_ALERT)
            printf("%s\n", event.title);
        else if (event.kind == TOCSIN_LOST)
            puts("lost");
        fflush(stdout);
    }
    tocsin_close(tocsin);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "consume"))
        return consume();
    if (argc == 2 && !strcmp(argv[1], "subscribe"))
        return subscribe();
    return 2;
}
