/* Elementwise programs before they become chains: results are not yet registers, loops not yet merged. */
#ifndef GAN_PLAN_PROGRAM_H
#define GAN_PLAN_PROGRAM_H

#include "plan/build.h"

/* Operands: a kind and a number. */
enum { OPERAND_INPUT = 0x000, OPERAND_CONSTANT = 0x100, OPERAND_RESULT = 0x200, OPERAND_NUMBER = 0xff };

struct program_instr { struct value *value; int32_t op, n_in, in[3]; };

struct program {
  const struct plan *p;
  const struct unit *units[2];                        /* whose members belong in; the second may be NULL */
  int32_t rank, n_in, n_const, n_instr, n_out;
  int64_t shape[GAN_MAX_RANK];                        /* axes longer than 1 */
  struct value *in[CHAIN_INPUTS];
  int64_t stride[CHAIN_INPUTS][GAN_MAX_RANK];
  int32_t dense[CHAIN_INPUTS];                        /* laid out as the loop walks */
  float constant[CHAIN_CONSTS];
  struct program_instr instr[CHAIN_INSTRS];
  int32_t out[CHAIN_OUTPUTS];                         /* results */
  int64_t columns[CHAIN_OUTPUTS];                     /* 0: stored; else their sums by column are */
};

/* 0 if the members don't fit into one chain. b may be NULL. */
int32_t program_write(struct program *g, const struct plan *p, const struct unit *a, const struct unit *b);
/* A program that copies a value; to lay out what is not computed. */
void program_write_copy(struct program *g, const struct plan *p, struct value *v);
/* Gives results their registers and merges loops; 0 if there are not enough registers. */
struct chain_loop;
int32_t program_to_chain(const struct program *g, struct chain_loop *loop);

/* A chain, and the axes that it has not got room for: the call walks those, a chain for each step. */
struct chain_loop {
  struct chain chain;                                 /* first: call.u.chain points to it */
  int32_t n_outer;
  int64_t outer[GAN_MAX_RANK - CHAIN_DIMS], outer_stride[CHAIN_INPUTS][GAN_MAX_RANK - CHAIN_DIMS];
  int64_t inner_chunks, inner_count;
};

#endif
