// yaml_parts - what the parts of the YAML reader share; nobody else includes this.
//
//   yaml.c         events of libyaml to a tree, with every mistake on the way
//   yaml_places.c  from the bytes of a scalar back to the bytes of the file
//   yaml_values.c  what callers ask of the tree, and how mistakes are shown
#ifndef TC_YAML_PARTS_H
#define TC_YAML_PARTS_H

#include "common/yaml.h"

#include <yaml.h>

// Adds a mistake under bytes from..to of the file. `to` may be behind the line: the caret stops at
// its end. O(log lines + length of the line), and nothing once no more mistakes are kept.
struct yaml_mistake {
    enum tc_severity severity;
    const char *code;
    size_t from, to;
    tc_str help, message;
};
void yaml_mistake_add(const struct tc_yaml_file *file, const struct yaml_mistake *mistake,
                      struct tc_diags *diags);

// Number of the line, from 1, that holds the byte at `offset`.
int yaml_line_of(const struct tc_yaml_file *file, size_t offset);

// The bytes of line `number`, without its end.
tc_str yaml_line(const struct tc_yaml_file *file, int number);

// Fills places[0..value.len] with byte offsets into `file`: where each byte of a scalar's value
// was written, and the end. The scalar stands in file bytes from..to, its indicators included.
void yaml_places(tc_str file, size_t from, size_t to, yaml_scalar_style_t style, tc_str value,
                 uint32_t *places);

#endif
