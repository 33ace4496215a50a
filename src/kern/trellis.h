/* One step of the Viterbi search through a syndrome trellis (Filler, Judas, Fridrich 2011): 2^height states, a state being the
 * syndrome bits that are still open.  Costs are 16 bits, saturating; 65,535 is "cannot be".  repro: exact.
 *
 * A column is a pattern of `height` bits whose first and last are one, so it joins each state of the lower half to one of the
 * upper half: state s and s ^ column are renewed together, in place. */
#ifndef UT_KERN_TRELLIS_H
#define UT_KERN_TRELLIS_H
#include <stdint.h>

#define UT_TRELLIS_MIN_HEIGHT 6
#define UT_TRELLIS_MAX_HEIGHT 12
#define UT_TRELLIS_NEVER 0xffffu

typedef struct ut_trellis {
    /* state: [2^height].  cost0, cost1: of leaving the column out and of taking it.  taken: [2^height / 32] words; bit s of
     * the first half says whether state s was best reached by taking the column, bit s of the second half the same of
     * state s ^ column (s in the lower half).  Equal costs: not taken. */
    void (*column)(uint16_t *state, unsigned height, unsigned column, uint16_t cost0, uint16_t cost1, uint32_t *taken);
    /* The lowest open syndrome bit must be `bit`; it is shifted out.  Then the least cost is taken from all. */
    void (*shift)(uint16_t *state, unsigned height, unsigned bit);
    const char *name;
} ut_trellis;

const ut_trellis *ut_trellis_get(void);   /* the fastest that this processor runs */
const ut_trellis *ut_trellis_plain(void); /* the reference, for tests */

static inline int ut_trellis_taken(const uint32_t *taken, unsigned height, unsigned column, unsigned state)
{
    unsigned half = 1u << (height - 1), i = state < half ? state : (state ^ column) + half;
    return (int)(taken[i / 32] >> (i % 32) & 1);
}
#endif
