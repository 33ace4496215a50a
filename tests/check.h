/* A test is a program: CHECK what must hold, end with `return check_end();`. */
#ifndef UT_TEST_CHECK_H
#define UT_TEST_CHECK_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failed, check_count;
#define CHECK(cond, ...)                                                                                               \
    do {                                                                                                               \
        check_count++;                                                                                                 \
        if (!(cond)) {                                                                                                 \
            check_failed++;                                                                                            \
            fprintf(stderr, "%s:%d: not true: %s", __FILE__, __LINE__, #cond);                                       \
            fprintf(stderr, " " __VA_ARGS__);                                                                         \
            fputc('\n', stderr);                                                                                       \
        }                                                                                                              \
    } while (0)
static inline int check_end(void)
{
    printf("%d checks, %d failed\n", check_count, check_failed);
    return check_failed != 0;
}
static inline int check_skip(const char *why)
{
    printf("skipped: %s\n", why);
    return 77;
}
/* xorshift64*: small, fixed seed, for test data only */
static inline unsigned check_rand(unsigned long long *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return (unsigned)((*s * 2685821657736338717ull) >> 32);
}
#endif
