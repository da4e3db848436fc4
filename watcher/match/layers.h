// layers - all watches that run: a large compiled set, and a small one over it.
//
// After a change only what changed is compiled, as `top`. The large set, `base`, is kept: a number for each of
// its watches says where that watch stands now, or that it is gone. Both are scanned with the same code and
// their hits put in order, so that nobody outside sees two. Merging is compiling all watches as a new base
// (matcher.h, in the background) and laying the watches over that.
//
//   memory   4 bytes a watch while there is a top, beside the two matchers
//   cost     laying over: a comparison a watch, and the compiling of what changed; scanning a text: once more
//            what it costs to look its words up, while there is a top; and where both have regular expressions, to
//            put it in order for them and scan it
//   threads  layers and lists are shared: hold and drop from any thread. A layers_scan belongs to one
#ifndef LAYERS_H
#define LAYERS_H

#include "watcher/match/scan.h"

// Watches in load order, counted. Their owner is let go with the list.
struct watch_list;

// Takes `watches`, an array on the heap.
struct watch_list *watch_list_new(const struct watch **watches, size_t count,
                                  void (*owner_drop)(void *), void *owner);
struct watch_list *watch_list_hold(struct watch_list *list);
void watch_list_drop(void *list); // NULL is fine
size_t watch_list_count(const struct watch_list *list);

// Compiles a whole list into one matcher, which holds the list. `counts` may be NULL, and so may `before`, of
// which regular expressions are taken over.
int watch_list_compile(struct watch_list *list, const struct counts *counts,
                       const struct matcher *before, struct matcher **out, struct tc_err *err);

struct layers;

// Lays the watches of `list` over `base`: those that it has compiled run there, the others on top. Without
// a base, or when much is new, or both might have more regular expressions than one set may, everything is
// compiled into a new one. Holds what it needs.
//   as matcher_new
int layers_new(struct matcher *base, struct watch_list *list, const struct counts *counts,
               struct layers **out, struct tc_err *err);
struct layers *layers_hold(struct layers *layers);
void layers_drop(struct layers *layers);        // NULL is fine
bool layers_alone(const struct layers *layers); // whether nobody else holds them

struct matcher *layers_base(const struct layers *layers); // views the layers
struct watch_list *layers_list(const struct layers *layers);
size_t layers_count(const struct layers *layers); // watches that run
size_t layers_top(const struct layers *layers);   // of those, in the small set
size_t layers_gone(const struct layers *layers);  // of the large set, that run no more
const struct watch *layers_watch(const struct layers *layers, size_t number); // in load order

struct layers_hit {
    uint32_t segment, watch; // its number in load order
    struct scan_hit found;   // as the layer that has it counts
    bool on_top;
};

struct layers_scan;
struct layers_scan *layers_scan_new(void);
void layers_scan_free(struct layers_scan *scan); // NULL is fine

// As scan_run, scan_run_all and scan_hit_fill.
size_t layers_run(struct layers_scan *scan, const struct layers *layers, const struct text *text,
                  const struct layers_hit **out);
size_t layers_run_all(struct layers_scan *scan, const struct layers *layers,
                      const struct text *text, const struct layers_hit **out);
void layers_hit_fill(struct layers_scan *scan, const struct layers *layers, const struct text *text,
                     const struct layers_hit *found, struct tc_hit *out);

#endif
