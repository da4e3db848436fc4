// err - what went wrong, in one sentence, and where.
//
// Every function that can fail returns TC_OK or a negative code and describes the failure
// in its last argument, a struct tc_err. Only the top of a program prints it.
//
//   memory   the struct itself, no allocation
//   threads  none: plain data
//   safe     for libtocsin
#ifndef TC_ERR_H
#define TC_ERR_H

#include <stdarg.h>

enum tc_code {
    TC_OK = 0,
    TC_EINVAL = -1,    // a value is wrong; a person has to change it
    TC_ENOMEM = -2,    // no memory (only where an allocation may fail)
    TC_EIO = -3,       // disk or database refused
    TC_EFULL = -4,     // a limit with a name is reached
    TC_EEXIST = -5,    // it is there already
    TC_ENOENT = -6,    // it is not there
    TC_EBUSY = -7,     // somebody else holds it
    TC_EPARSE = -8,    // text that is not what it should be
    TC_ETIMEOUT = -9,  // no answer in time
    TC_EPROTO = -10,   // the peer speaks nonsense or refused
    TC_EVERSION = -11, // made by a newer program
    TC_ECORRUPT = -12, // checksum or structure is damaged
    TC_ESTOP = -13,    // asked to stop
};

enum { TC_ERR_TEXT_BYTES = 600, TC_ERR_FILE_BYTES = 256 };

struct tc_err {
    int code; // enum tc_code
    char text[TC_ERR_TEXT_BYTES];
    char file[TC_ERR_FILE_BYTES]; // empty when the mistake is in no file
    int line, column;             // from 1; 0 means not known
};

// Describes a failure and returns `code`, so that a function can end with
// `return tc_fail(err, TC_EIO, "...")`. `err` may be NULL. Clears the place.
int tc_fail(struct tc_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same with a place in a file that a user wrote.
int tc_fail_at(struct tc_err *err, int code, const char *file, int line, int column,
               const char *format, ...) __attribute__((format(printf, 6, 7)));

// Puts words before the sentence of an error on its way up: "reading watches: ...".
// Returns err's code, TC_EIO when err is NULL.
int tc_err_prefix(struct tc_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
