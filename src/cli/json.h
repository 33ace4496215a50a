/* One JSON object on a stream (RFC 8259), members in the order written, two spaces a level. */
#ifndef UT_CLI_JSON_H
#define UT_CLI_JSON_H
#include "undertone.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct ut_json {
    FILE *f;
    int depth;
    bool any; /* the open object or array has a member */
} ut_json;

void ut_json_begin(ut_json *j, FILE *f);
void ut_json_end(ut_json *j); /* closes the outermost object, ends the line */
/* key: NULL inside an array. */
void ut_json_string(ut_json *j, const char *key, const char *value); /* bytes that are not UTF-8 become U+FFFD; NULL: null */
void ut_json_number(ut_json *j, const char *key, double value); /* infinite or not a number: null */
void ut_json_count(ut_json *j, const char *key, size_t value);
void ut_json_bool(ut_json *j, const char *key, bool value);
void ut_json_open(ut_json *j, const char *key, char bracket); /* '{' or '[' */
void ut_json_close(ut_json *j, char bracket);                 /* '}' or ']' */
void ut_json_enhancement(ut_json *j, const ut_enhancement *e);        /* member "enhancement" */
void ut_json_trade(ut_json *j, const ut_trade *t, size_t n);          /* member "trade" */
void ut_json_steps(ut_json *j, const ut_step *steps, size_t nsteps); /* member "steps" */
#endif
