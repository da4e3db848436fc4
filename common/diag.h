// diag - the mistakes in files that people wrote, all of them, shown as editors expect.
//
//   watches/china.yaml:7:30: error[E0107]: AND/NOT and OR are mixed without parentheses
//        7 |       @ai_experts AND travel OR visa
//          |                              ^~
//     help: readings differ between search products; write the parentheses you mean
//
// A reader adds what it finds and goes on; the caller prints them at the end, in file order.
// Lines and columns count from 1; columns count characters (Unicode code points), and the
// caret is placed by their width on a terminal.
//
//   memory   copies every text it is given; at most DIAG_MOST are kept, the rest counted
//   threads  none: belongs to the reader
#ifndef TC_DIAG_H
#define TC_DIAG_H

#include "common/arena.h"
#include "common/err.h"

enum { TC_DIAG_MOST = 200 };

enum tc_severity { TC_DIAG_ERROR, TC_DIAG_WARNING };

struct tc_diag {
    enum tc_severity severity;
    const char *code; // "E0107"; static text
    tc_str file;
    int line, column; // from 1; 0 when the whole file is meant
    int width;        // characters under the caret, at least 1
    tc_str message;
    tc_str help;   // may be empty; may have several lines
    tc_str source; // the line of the file, without its end; empty when there is none
};

struct tc_diags; // in order of adding

struct tc_diags *tc_diags_new(void);
void tc_diags_free(struct tc_diags *diags);

// Adds a mistake. Copies all texts of `diag`.
void tc_diags_add(struct tc_diags *diags, const struct tc_diag *diag);

// Adds all that `from` holds.
void tc_diags_append(struct tc_diags *diags, const struct tc_diags *from);

size_t tc_diags_errors(const struct tc_diags *diags);   // added, kept or not
size_t tc_diags_warnings(const struct tc_diags *diags); // added, kept or not
size_t tc_diags_count(const struct tc_diags *diags);    // kept
const struct tc_diag *tc_diags_at(const struct tc_diags *diags, size_t index);

// Sorts by file (in order of first appearance), line and column.
void tc_diags_sort(struct tc_diags *diags);

struct tc_buf;

// Adds the lines that a person reads to `out`.
void tc_diag_print(const struct tc_diag *diag, bool colour, struct tc_buf *out);
void tc_diags_print(const struct tc_diags *diags, bool colour, struct tc_buf *out);

// Puts the first error into err (code TC_EPARSE, place and message). Returns TC_OK when there
// is no error, else TC_EPARSE.
int tc_diags_result(const struct tc_diags *diags, struct tc_err *err);

// The candidate nearest to `word` by Damerau-Levenshtein distance, NULL when none is near
// (more than a third of its letters, or more than three, differ). Views the list.
const char *tc_nearest(tc_str word, const char *const *candidates, size_t count);

// Line `number` (from 1) of a text, without its end.
tc_str tc_line_at(tc_str text, int number);

#endif
