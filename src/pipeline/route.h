/* The channels a picture must survive, and the lattice that suits them. */
#ifndef UT_PIPELINE_ROUTE_H
#define UT_PIPELINE_ROUTE_H
#include "channel/channel.h"
#include "stage/hide/header.h"
#include "stage/hide/place.h"
#include "stage/hide/sync.h"

#define UT_ROUTE_MAX_VARIANTS 64
#define UT_ROUTE_MAX_CASES (2 * UT_ROUTE_MAX_VARIANTS)
#define UT_ROUTE_MAX_CHAINS 160

typedef struct ut_variant {
    const ut_channel *channel; /* NULL: the file as it was sent */
    size_t index;
    char name[96];
} ut_variant;

typedef struct ut_route {
    ut_channel **channel; /* [nchannels], owned */
    size_t nchannels;
    ut_variant variant[UT_ROUTE_MAX_VARIANTS]; /* [0] is "as sent" */
    size_t nvariants;
    ut_variant between[UT_ROUTE_MAX_VARIANTS]; /* "jpeg:A-B": the qualities between its variants, to verify with */
    size_t nbetween;
    ut_channel **between_channel; /* [nbetween], owned */
    bool lossless;        /* every channel keeps every pixel */
} ut_route;

/* No channels given: "jpeg:75-95".  "any" stands for jpeg:50-95, webp:80 and resize:0.75+jpeg:85 together. */
UT_MUST_CHECK ut_status ut_route_init(ut_route *r, const char *const *specs, size_t nspecs, const char *profile_dir,
                                      ut_err *e);
void ut_route_free(ut_route *r);
/* Variants, then those between. */
static inline const ut_variant *ut_route_case(const ut_route *r, size_t i)
{
    return i < r->nvariants ? &r->variant[i] : &r->between[i - r->nvariants];
}
/* The size at which every channel's platform leaves the picture's geometry alone. */
UT_MUST_CHECK ut_status ut_route_fit(const ut_route *r, uint32_t width, uint32_t height, uint32_t *fw, uint32_t *fh,
                                     ut_err *e);

/* How the sender means to reach the receiver. */
typedef struct ut_design {
    ut_chain chain[UT_ROUTE_MAX_CHAINS];
    size_t nchains;
    uint16_t quant[64];     /* the lattice's table */
    unsigned table, scale;  /* its id in the header, and the scale in sixteenths */
    double margin[64], between; /* see ut_place_init */
    double noise[64];       /* rms change of a coefficient by the worst channel whose quantisers are not known; else 0 */
    bool noisy;
    ut_channel_jpeg out;    /* tables for a JPEG as sent */
} ut_design;

/* jpeg_out: the picture will be sent as a JPEG file with design->out's tables. cover: already at its final size.  sync: the pattern in it, NULL
 * if it has none. */
UT_MUST_CHECK ut_status ut_design_init(ut_design *d, const ut_route *r, const ut_picture *cover, bool jpeg_out,
                                       const ut_sync *sync, ut_err *e);
#endif
