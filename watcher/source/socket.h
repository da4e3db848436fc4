// socket - articles over ZeroMQ: the intake, with answers (ROUTER) or without (PULL).
//
// docs/protocol.md, "Intake of a watcher", is what it speaks. A client is answered ACCEPTED only
// when the hits of its article are safe on disk; BUSY when the watcher cannot take more now. The PULL
// socket takes the same frames, answers nothing and lets its senders wait instead.
//
//   memory   SOURCE_OPEN_MOST requests on the way, about 1 KiB each, besides their articles
//   threads  socket_run belongs to the source's thread
#ifndef SOCKET_H
#define SOCKET_H

#include "watcher/source/source.h"

enum { SOCKET_BUSY_MS = 200 }; // what BUSY tells a client to wait

struct intake;

// Binds `endpoint` (lock it first, see common/daemon.h). `answers` chooses ROUTER or PULL. `name`
// (copied) is the source of articles that name none. The host is borrowed until intake_close.
// Gives *out. Errors as tc_sock_open.
int intake_open(void *context, tc_str endpoint, bool answers, tc_str name,
                const struct source_host *host, struct intake **out, struct tc_err *err);

// To be asked where it is bound; nothing else may be done with it.
void *intake_socket(const struct intake *intake);

// Works until the host says stop, then answers what is still on the way.
void intake_run(struct intake *intake);

void intake_close(struct intake *intake); // NULL is fine

#endif
