/* What sender and receiver share: where a message's salt, header and payload lie, and how they are read. */
#ifndef UT_PIPELINE_MESSAGE_H
#define UT_PIPELINE_MESSAGE_H
#include "stage/fec/fec.h"
#include "stage/hide/extract.h"
#include "stage/hide/header.h"
#include "stage/hide/preamble.h"
#include "stage/hide/robust.h"
#include "stage/hide/syndrome.h"
#include "stage/seal/seal.h"

#define UT_SEALED_HEADER_NBYTES (UT_HEADER_NBYTES + UT_HEADER_TAG_NBYTES)

/* The code of header and custom table: LDPC at rate 1/4, folded (below) at 1/2. */
UT_MUST_CHECK ut_status ut_message_header_plan(ut_fec_plan *p, size_t nbytes, bool folded, ut_err *e);

/* Header and table may be folded: the syndrome of so many carriers a code bit, of which few need moving.  For channels that
 * bring next to every carrier intact. */
enum { UT_FOLD = 2, UT_FOLD_HEIGHT = 8 };

/* Carriers of one message in a picture of that size. */
typedef struct ut_layout {
    ut_grid grid;
    ut_carriers salt, header, table, payload;
    ut_lattice preamble, lattice;
    uint8_t *taken;
    bool folded;    /* header and table are */
    unsigned quiet; /* header is the quiet box, so many carriers a bit; neither salt, table nor preamble are used.  0: it is not */
    unsigned nfreq; /* frequencies that the payload touches */
    ut_syndrome code; /* from payload's carriers to code bits; height 0: they are the code bits */
} ut_layout;
/* Salt alone; then header and table, for which the keys are needed; then payload, for which the header is. */
UT_MUST_CHECK ut_status ut_layout_init(ut_layout *l, uint32_t width, uint32_t height, unsigned tier, ut_err *e);
UT_MUST_CHECK ut_status ut_layout_header(ut_layout *l, const ut_seal_keys *k, bool folded, ut_err *e);
UT_MUST_CHECK ut_status ut_layout_table(ut_layout *l, const ut_seal_keys *k, ut_err *e);
UT_MUST_CHECK ut_status ut_layout_payload(ut_layout *l, const ut_header *h, const uint16_t quant[64],
                                          const ut_seal_keys *k, ut_err *e);
void ut_layout_free(ut_layout *l);

/* The quiet form of the preamble, for the trellis code in a table that an id names: salt and a short sealed header as the syndrome of `fold` carriers
 * a bit, in the payload's own cells, at places that the locator (ut_keyring_locator) decides.  UT_E_CAPACITY: too small a picture.  Instead of
 * ut_layout_init, _header and _table. */
UT_MUST_CHECK ut_status ut_layout_quiet(ut_layout *l, uint32_t width, uint32_t height, const ut_seal_keys *locator, unsigned fold, ut_err *e);
/* The two numbers of carriers a bit that a picture of that size may have: many, where a carrier that keeps its parity costs nothing, or few.  0: too small a
 * picture. */
unsigned ut_quiet_fold(ut_grid g, bool many);
size_t ut_quiet_nbits(void);
ut_syndrome ut_quiet_code(unsigned fold);
#define UT_QUIET_NFREQ 20 /* the lowest in zigzag order: where they lie */
UT_MUST_CHECK ut_status ut_quiet_protect(const ut_header *h, const uint8_t salt[UT_SALT_NBYTES], const ut_seal_keys *k, const ut_seal_keys *locator,
                                         ut_buf *bits, ut_err *e);

/* Bytes under the header's code and the message's mask, as carrier bits [plan.code_nbits], and back. */
UT_MUST_CHECK ut_status ut_message_protect(const uint8_t *bytes, size_t n, bool folded, const ut_seal_keys *k,
                                           uint32_t mask_domain, ut_buf *bits, ut_err *e);
UT_MUST_CHECK ut_status ut_message_correct(int8_t *llr, bool folded, const ut_seal_keys *k, uint32_t mask_domain,
                                           uint8_t *bytes, size_t n, ut_err *e);

/* The code from a folded box's carriers to its bits. */
static inline ut_syndrome ut_message_fold(size_t ncarriers) { return (ut_syndrome){ UT_FOLD_HEIGHT, ncarriers, ncarriers / UT_FOLD }; }

/* The robust form's carriers in a picture of that size, by its locator keys (ut_message_locator); then, for which the header is needed, the
 * payload's. */
typedef struct ut_robust_layout {
    ut_grid grid;
    ut_scs_carriers box, payload;
    uint8_t *taken;
} ut_robust_layout;
UT_MUST_CHECK ut_status ut_robust_layout_init(ut_robust_layout *l, uint32_t width, uint32_t height, const ut_seal_keys *locator,
                                              ut_err *e);
UT_MUST_CHECK ut_status ut_robust_layout_payload(ut_robust_layout *l, unsigned nfreq, const ut_seal_keys *k, ut_err *e);
void ut_robust_layout_free(ut_robust_layout *l);

/* Its box: salt and sealed header, under a code and the locator's mask. */
#define UT_ROBUST_BOX_NBYTES (UT_SALT_NBYTES + UT_SEALED_HEADER_NBYTES)
UT_MUST_CHECK ut_status ut_robust_box_protect(const uint8_t box[UT_ROBUST_BOX_NBYTES], const ut_seal_keys *locator, ut_buf *bits,
                                              ut_err *e);
UT_MUST_CHECK ut_status ut_robust_box_nbits(size_t *n, ut_err *e);

/* Keys are dear (Argon2id): those of the last few salts are kept, and the locator's. */
#define UT_KEYRING_SIZE 8
typedef struct ut_keyring {
    ut_key key;
    struct {
        bool used;
        uint8_t salt[UT_SALT_NBYTES];
        ut_seal_keys keys;
    } slot[UT_KEYRING_SIZE];
    unsigned next, nderived;
    bool has_locator;
    ut_seal_keys locator;
    const char *inn; /* borrowed: file of the invertible network's weights; NULL: as ut_inn_open finds them */
    bool thrifty; /* long shots: only the usual lattices, and no doubtful salt bits where keys are dear */
} ut_keyring;
UT_MUST_CHECK ut_status ut_keyring_get(ut_keyring *r, const uint8_t salt[UT_SALT_NBYTES], const ut_seal_keys **keys,
                                       ut_err *e);
void ut_keyring_wipe(ut_keyring *r);
/* Keys of the salt that is the same for all: what is found by them is where to look. */
UT_MUST_CHECK ut_status ut_keyring_locator(ut_keyring *r, ut_seal_keys *keys, ut_err *e);

/* What was found in a picture. */
typedef struct ut_found {
    ut_header header;
    uint16_t quant[64];
    unsigned tier;              /* lattice mode */
    bool folded;                /* as in ut_layout */
    unsigned quiet;             /* the same */
    ut_seal_keys keys;
    ut_seal_keys locator;       /* quiet header and robust form only */
    const char *inn;            /* borrowed, as in ut_keyring */
    uint8_t salt[UT_SALT_NBYTES];
} ut_found;

/* Looks for a message for this key: UT_OK, UT_E_KEY (none), or a fault.  allow_lsb: the file keeps every pixel. */
UT_MUST_CHECK ut_status ut_message_find(const ut_view *v, ut_keyring *ring, bool allow_lsb, ut_found *f, ut_err *e);

/* The same on one step of the preamble's lattice only, for whoever knows it. */
UT_MUST_CHECK ut_status ut_message_find_at(const ut_view *v, ut_keyring *ring, unsigned tier, ut_found *f, ut_err *e);

/* The same by the quiet header only, in the cells of one table, or of all that ids name (table 0). */
UT_MUST_CHECK ut_status ut_message_find_quiet(const ut_view *v, ut_keyring *ring, unsigned table, ut_found *f, ut_err *e);

/* The same in the low bits only. */
UT_MUST_CHECK ut_status ut_message_find_low_bits(const ut_view *v, ut_keyring *ring, ut_found *f, ut_err *e);

/* How little what lies at the salt's places looks like one, without any key: the number of its carriers near a cell's edge, where a photo's own
 * coefficients lie as often as elsewhere.  UT_NO_SALT: it has too few ones or zeros. */
enum { UT_NO_SALT = UT_SALT_NBITS + 1 };
unsigned ut_message_doubt(const ut_view *v, unsigned tier);

/* An authentic plain header of that mode into f.  UT_E_UNSUPPORTED: another version's; UT_E_KEY: absurd, or of another size than v (NULL: any
 * size will do). */
UT_MUST_CHECK ut_status ut_message_accept_header(const uint8_t plain[UT_HEADER_NBYTES], unsigned mode, const ut_view *v, ut_found *f,
                                                 ut_err *e);
UT_MUST_CHECK ut_status ut_message_other_version(unsigned version, ut_err *e); /* fails so */
/* The same for the robust form alone. */
UT_MUST_CHECK ut_status ut_message_find_robust(const ut_view *v, ut_keyring *ring, ut_found *f, ut_err *e);
/* The box on whichever tier opens, and its header.  whole: the view whose size the header has to say, or NULL. */
UT_MUST_CHECK ut_status ut_robust_open_box(const ut_view *v, const ut_scs_carriers *c, const ut_view *whole, const ut_seal_keys *locator,
                                           ut_keyring *ring, ut_found *f, ut_err *e);
/* And where the picture may be a part of what was hidden in: v->x and v->y are known modulo `period` only (a divisor of the box's tile), its size
 * not at all.  UT_OK: v says all four. */
UT_MUST_CHECK ut_status ut_message_find_robust_part(ut_view *v, unsigned period, ut_keyring *ring, ut_found *f, ut_err *e);

/* Reads the payload's carriers: phases on the lattice, plain bytes in the LSB mode (then phase stays NULL). */
typedef struct ut_raw {
    ut_fec_plan plan;
    ut_seal_keys keys;
    ut_carriers carriers;       /* owned */
    ut_scs_carriers scs;        /* the robust form's instead, owned */
    ut_scs_reading reading;     /* and theirs, owned */
    uint8_t trust[UT_SCS_NCLASSES];
    ut_syndrome code;           /* as in ut_layout */
    uint8_t *phase;             /* [carriers.n], owned: what was read */
    uint64_t flip_limit;        /* rehearsals: share of carriers to turn over, times 2^32 */
    ut_buf sealed;              /* after error correction */
    uint8_t *block_ok;          /* [plan.nblocks], owned */
    ut_fec_result result;
} ut_raw;
/* The robust form's payload as it was read, in the coefficients or in the latent, as the header says. */
UT_MUST_CHECK ut_status ut_message_read_robust(const ut_view *v, const ut_found *f, const ut_scs_carriers *c, ut_scs_reading *r, unsigned nthreads, ut_err *e);
UT_MUST_CHECK ut_status ut_message_read(const ut_view *v, const ut_found *f, unsigned nthreads, ut_raw *r, ut_err *e);
/* Error correction: r->phase -> r->sealed, profile after profile until every block is there.
 * UT_E_DAMAGED: some blocks were lost in all of them. */
UT_MUST_CHECK ut_status ut_message_decode(ut_raw *r, unsigned nthreads, ut_err *e);
void ut_raw_free(ut_raw *r);
/* Rehearsals turn over that share (times 2^32) of the carriers, the same ones every time. */
void ut_disturb(int8_t *llr, size_t n, uint64_t limit);
#endif
