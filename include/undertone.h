/* Undertone: hide a voice recording in a photo so that it survives sharing and comes back bit for bit.
 *
 * The sender gives a recording, a photo, a key and the names of the channels that the photo must survive
 * ("whatsapp", "jpeg:75-95", "png", ...).  ut_hide() cleans the voice of noise (a neural network; music and
 * other sounds are left alone), codes it (Opus SILK, FLAC, or any bytes), seals it (AES-256-GCM), protects it (LDPC and others), moves the photo's DCT coefficients onto a lattice, then runs the real
 * codecs of every channel on the result and decodes it.  It returns a picture only if every bit came back.
 * ut_reveal() does the reverse for whoever holds the key.
 *
 * What "lossless" means here: the audio the receiver gets equals, sample for sample, the preview the sender was given
 * (the voice after cleaning and payload coding).  A SHA-256 inside the sealed payload proves it.  The photo itself is changed.
 *
 * Limits: photos up to 65,535 pixels a side and 200 megapixels; recordings up to 24 hours; payloads up to 1 GiB.
 * Memory: about 30 bytes a pixel while hiding, and about 60 MB for each of at most 8 threads while
 * cleaning.  Results do not depend on the number of threads.
 * Threads: every function is re-entrant; distinct calls may run in distinct threads.
 *
 *     ut_hide_options opt;  ut_hide_report rep;  ut_blob out;
 *     ut_hide_options_init(&opt);
 *     const char *to[] = { "whatsapp" };
 *     opt.channels = to;  opt.nchannels = 1;
 *     opt.key = (ut_key){ UT_KEY_PASSPHRASE, (const uint8_t *)"correct horse", 13 };
 *     ut_status s = ut_hide(voice, nvoice, photo, nphoto, &opt, &out, &rep);
 *     if (s != UT_OK) fprintf(stderr, "%s\n", rep.message);
 *     ...
 *     ut_hide_report_free(&rep);  ut_blob_free(&out);
 *
 * ut_hide_album() spreads one recording over several photos, of which any so many give it back (ut_reveal_album).
 *
 * Every function that can fail returns a ut_status; on failure the outputs are empty and `message`, where there is
 * one, holds one line in a person's terms.  The library never prints, never exits.
 */
#ifndef UNDERTONE_H
#define UNDERTONE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define UT_API __attribute__((visibility("default")))
#define UT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define UT_API
#define UT_MUST_CHECK
#endif

#define UT_VERSION "0.1.0"

/* Pinned: a value never changes its meaning. */
typedef enum ut_status {
    UT_OK = 0,
    UT_E_USAGE = -1,       /* an argument or option makes no sense */
    UT_E_INPUT = -2,       /* an input is not what it should be: unreadable, corrupt, truncated, too large */
    UT_E_CAPACITY = -3,    /* the recording does not fit this photo through these channels */
    UT_E_KEY = -4,         /* wrong key, or nothing is hidden here */
    UT_E_DAMAGED = -5,     /* a message is there, but damaged beyond repair */
    UT_E_IO = -6,          /* a file cannot be read or written */
    UT_E_MEMORY = -7,      /* out of memory */
    UT_E_CANCELLED = -8,   /* the progress callback asked to stop */
    UT_E_UNSUPPORTED = -9, /* a format or feature that this build lacks */
    UT_E_INTERNAL = -10    /* a fault of the library */
} ut_status;

/* A name for a status ("does not fit"); static storage, never NULL. */
UT_API const char *ut_status_text(ut_status s);
UT_API const char *ut_version(void);

/* Bytes owned by the caller; release with ut_blob_free (which wipes them), safe on a zeroed blob. */
typedef struct ut_blob {
    uint8_t *data;
    size_t nbytes;
} ut_blob;
UT_API void ut_blob_free(ut_blob *b);

/* An input that need not lie in memory. */
typedef struct ut_source {
    uint64_t nbytes;               /* its length */
    /* Copies up to n bytes from offset `at` on; gives how many there were (0: the end), or a negative number on failure. */
    ptrdiff_t (*read)(void *user, uint64_t at, void *to, size_t n);
    void *user;
} ut_source;

typedef enum ut_key_kind {
    UT_KEY_PUBLIC = 0,     /* no secret: anyone with this software can reveal */
    UT_KEY_PASSPHRASE = 1, /* UTF-8 text, stretched by Argon2id (RFC 9106) */
    UT_KEY_FILE = 2        /* contents of a key file made by ut_keygen */
} ut_key_kind;

/* Borrowed: the bytes stay the caller's and are read only during the call. */
typedef struct ut_key {
    ut_key_kind kind;
    const uint8_t *data;
    size_t nbytes;
} ut_key;

typedef enum ut_codec {
    UT_CODEC_AUTO = 0,
    UT_CODEC_OPUS = 1,
    UT_CODEC_FLAC = 2,
    UT_CODEC_RAW = 3,
    UT_CODEC_SPECTRUM = 4  /* our own: MDCT, learned entropy model */
} ut_codec;
typedef enum ut_fec_kind {
    UT_FEC_AUTO = 0,
    UT_FEC_LDPC = 1,
    UT_FEC_BCH = 2,
    UT_FEC_RS = 3,
    UT_FEC_HAMMING = 4
} ut_fec_kind;
typedef enum ut_format { UT_FORMAT_PNG = 0, UT_FORMAT_JPEG = 1, UT_FORMAT_WEBP = 2 } ut_format;

/* Called from the calling thread with the step's name and its share done, 0..1.  Non-zero return: stop. */
typedef int (*ut_progress_fn)(void *user, const char *step, double done);

/* Whether the voice is cleaned of noise first. */
typedef enum ut_enhance_mode {
    UT_ENHANCE_AUTO = 0,           /* if this build has a model; what does not sound like speech is left alone */
    UT_ENHANCE_OFF = 1,
    UT_ENHANCE_ON = 2,             /* as auto, but to have no model is an error */
    UT_ENHANCE_FORCE = 3           /* whatever it sounds like */
} ut_enhance_mode;

/* How coefficients are chosen and moved. */
typedef enum ut_hider {
    UT_HIDER_AUTO = 0,             /* what is better by measurement, if the build has its weights: the guide where channels' quantisers are known, the
                                      invertible network where all channels are WebP alone and the photo has at most 8 megapixels; else the lattice */
    UT_HIDER_LATTICE = 1,          /* no network */
    UT_HIDER_INN = 2               /* learned: a guide prices moves where the channels' quantisers are known; elsewhere bits lie in the latent of an
                                      invertible network, of which the receiver needs the same weights.  Without weights it is an error */
} ut_hider;

typedef struct ut_hide_options {
    const char *const *channels;   /* what the picture must survive; none: "jpeg:75-95" */
    size_t nchannels;
    ut_key key;                    /* default: public */
    ut_codec codec;                /* default: auto */
    double bitrate_kbps;           /* Opus; 0: the best that fits */
    ut_fec_kind fec;               /* default: auto */
    double min_psnr_db;            /* refuse to go below; 0: 38 dB */
    ut_format format;              /* file format of the result */
    int strip;                     /* non-zero: drop EXIF and ICC */
    const char *voice_name, *photo_name; /* what messages call the inputs (a path, say); NULL: "the recording", "the photo" */
    const char *profile_dir;       /* further platform profiles; NULL: only the built-in and installed ones */
    unsigned nthreads;             /* 0: as many as the machine has */
    ut_progress_fn progress;       /* may be NULL */
    void *user;
    ut_enhance_mode enhance;       /* default: auto; no effect on raw bytes */
    double strength;               /* 0: the recording as it is, 1 (default): cleaned; between: both mixed */
    const char *model;             /* a .safetensors file, or the name of an installed model; NULL: the built-in one */
    ut_hider hider;                /* default: auto */
    const char *guide, *inn;       /* .safetensors files of the learned hider's weights; NULL: the built-in ones */
} ut_hide_options;
UT_API void ut_hide_options_init(ut_hide_options *o); /* sets every default */

/* What was done about noise. */
typedef struct ut_enhancement {
    int done;                      /* 1: the recording went through the network */
    char what[160];                /* in a person's terms: "noise lowered by 14.2 dB", "left alone: ..." */
    char model[64];                /* its name; empty: none was used */
    double strength;
    double speech_share;           /* 0..1: how much of the recording sounds like speech; NaN: not looked at, or too short to tell */
    double noise_removed_db;       /* by how much the energy in pauses fell; NaN: not known */
    double snr_in_db;              /* the recording's own signal-to-noise ratio, an estimate; NaN: not known */
} ut_enhancement;

/* One step of the chain, as run. */
typedef struct ut_step {
    char name[24];
    double seconds;
    char detail[200];
} ut_step;

/* What a photo carries at some PSNR. */
#define UT_TRADE_MAX 10
typedef struct ut_trade {
    double psnr_db;
    size_t payload_nbytes;
    double net_bpp, speech_s;      /* bits per pixel; seconds at 12.7 kbit/s */
    int measured;                  /* 1: hidden and recovered so; 0: a forecast, scaled to agree with what was measured */
} ut_trade;

typedef struct ut_hide_report {
    char message[512];             /* what went wrong, one line; empty on success */
    char notice[512];              /* what the user should know although it went well (16-bit reduced, ...) */
    char codec[16];
    double bitrate_kbps;           /* of the coded voice; 0 where it makes no sense */
    double audio_s;                /* length of the recording */
    size_t payload_nbytes;         /* coded voice, before sealing */
    size_t sealed_nbytes;
    size_t code_nbits;             /* raw bits embedded */
    double code_rate;              /* sealed bits / raw bits */
    char fec[32];
    char hider[16];                /* "lattice", "guided lattice", "inn" or "low bits" */
    double worst_ber;              /* raw bit error rate in the worst channel */
    uint32_t width, height;        /* of the result, pixels */
    double net_bpp;                /* payload bits per pixel of the result */
    double psnr_db;                /* result against the photo at the same size, RGB */
    double ssim;                   /* NaN where the picture is narrower than its window, 11 pixels */
    char sha256_hex[65];           /* of what the receiver gets (PCM samples or raw bytes) */
    ut_blob preview;               /* WAV the receiver will get; empty for raw */
    ut_step steps[16];
    size_t nsteps;
    size_t nverified;              /* channel variants the result was recovered through, all of them */
    char verified[512];            /* their names, separated by ", " */
    ut_enhancement enhancement;
    ut_trade trade[UT_TRADE_MAX];  /* what else this photo could carry, by growing PSNR; none in an album's totals */
    size_t ntrade;
} ut_hide_report;
UT_API void ut_hide_report_free(ut_hide_report *r);

/* Hide `voice` (an audio file; any bytes for UT_CODEC_RAW) in `photo` (an image file).  out: an image file. */
UT_API UT_MUST_CHECK ut_status ut_hide(const uint8_t *voice, size_t nvoice, const uint8_t *photo, size_t nphoto,
                                       const ut_hide_options *opt, ut_blob *out, ut_hide_report *rep);

typedef struct ut_reveal_options {
    ut_key key;
    const char *image_name;        /* what messages call the input; NULL: "the picture" */
    int partial;                   /* non-zero: give back what survived of a damaged message, gaps silent */
    unsigned nthreads;
    ut_progress_fn progress;
    void *user;
    const char *inn;               /* as in ut_hide_options */
} ut_reveal_options;
UT_API void ut_reveal_options_init(ut_reveal_options *o);

typedef struct ut_reveal_report {
    char message[512];
    char diagnosis[512];           /* what is known of the picture's way here, in a person's terms */
    char codec[16];
    double audio_s;
    size_t payload_nbytes;
    double ber;                    /* estimated raw bit error rate; negative: unknown */
    size_t ncodewords, ncodewords_lost;
    size_t nsegments, nsegments_lost;
    int exact;                     /* 1: the SHA-256 inside the payload equals that of the output */
    char sha256_hex[65];
    int is_audio;                  /* 1: out is a WAV file; 0: raw bytes */
    ut_step steps[16];
    size_t nsteps;
    char notice[512];              /* albums: photos that were not used, and why */
    unsigned album_nphotos, album_needed, album_nused; /* albums: photos in all, that suffice, whose parts were used; else 0 */
} ut_reveal_report;

/* Get the recording back.  out: a WAV file (16 kHz mono 16-bit), or the very bytes hidden with UT_CODEC_RAW. */
UT_API UT_MUST_CHECK ut_status ut_reveal(const uint8_t *image, size_t nimage, const ut_reveal_options *opt, ut_blob *out,
                                         ut_reveal_report *rep);

/* Albums: one recording over up to UT_ALBUM_MAX photos, any `any` of which give it back, in any order.  Photos carry as much as they can at
 * one PSNR for all, so with any = all of them that is in proportion to their capacity. */
#define UT_ALBUM_MAX 64
typedef struct ut_photo {
    ut_source file;                /* an image file; read when its turn comes, and again later */
    const char *name;              /* what messages call it; NULL: "photo 2" */
    ut_format format;              /* of the result */
} ut_photo;
/* Takes photo number i's result, which is complete and verified but worth nothing before ut_hide_album returns UT_OK.  A second call for
 * the same i replaces what the first brought.  Non-zero return: stop with UT_E_IO. */
typedef int (*ut_album_fn)(void *user, size_t i, const ut_blob *picture);
/* any: 1..n; 0: all n.  opt->photo_name and opt->format have no effect.  rep: the recording and totals over all photos (psnr_db, ssim, worst_ber: the
 * worst); photo_rep: [n], each photo's part, or NULL.  One photo: as ut_hide.  Memory: that of the largest photo alone. */
UT_API UT_MUST_CHECK ut_status ut_hide_album(const uint8_t *voice, size_t nvoice, const ut_photo *photos, size_t n, unsigned any,
                                             const ut_hide_options *opt, ut_album_fn deliver, void *user, ut_hide_report *rep,
                                             ut_hide_report *photo_rep);
/* Photos that cannot be used are passed over and named in rep->notice if the others suffice.  UT_E_INPUT: photos are missing, or belong to
 * different albums; UT_E_DAMAGED: enough are there, but not enough came back whole.  photo_rep: [n], what each photo gave, or NULL.
 * opt->partial gives back the part of the recording that the photos at hand hold.  One photo: as ut_reveal. */
UT_API UT_MUST_CHECK ut_status ut_reveal_album(const ut_photo *photos, size_t n, const ut_reveal_options *opt, ut_blob *out,
                                               ut_reveal_report *rep, ut_reveal_report *photo_rep);
/* Payload bytes that an album of photos of these capacities carries (payload_nbytes of ut_capacity); 0: none. */
UT_API size_t ut_album_nbytes(const size_t *photo_nbytes, size_t n, unsigned any);

typedef enum ut_sound_format { UT_SOUND_WAV = 0, UT_SOUND_FLAC = 1 } ut_sound_format;

typedef struct ut_enhance_options {
    ut_enhance_mode mode;          /* default: on */
    double strength;               /* 0..1; default 1; 0 needs no model */
    const char *model;             /* as in ut_hide_options */
    ut_sound_format format;        /* of the result; default: WAV */
    const char *voice_name;        /* what messages call the input; NULL: "the recording" */
    unsigned nthreads;
    ut_progress_fn progress;
    void *user;
} ut_enhance_options;
UT_API void ut_enhance_options_init(ut_enhance_options *o);

typedef struct ut_enhance_report {
    char message[512];
    double audio_s;
    ut_enhancement enhancement;
    ut_step steps[16];
    size_t nsteps;
} ut_enhance_report;

/* Clean a recording as ut_hide() does.  voice: an audio file; out: a WAV or FLAC file (16 kHz mono 16-bit) of the same length. */
UT_API UT_MUST_CHECK ut_status ut_enhance(const uint8_t *voice, size_t nvoice, const ut_enhance_options *opt, ut_blob *out,
                                          ut_enhance_report *rep);

/* The same from a source that is read twice to a function that gets the file's bytes in order (non-zero return: stop with UT_E_IO).
 * Memory does not grow with the recording. */
typedef int (*ut_write_fn)(void *user, const void *data, size_t n);
UT_API UT_MUST_CHECK ut_status ut_enhance_stream(const ut_source *voice, const ut_enhance_options *opt, ut_write_fn write, void *user,
                                                 ut_enhance_report *rep);

typedef struct ut_capacity_row {
    char quality[24];              /* "opus 12.7 kbit/s", "flac", "raw" */
    double kbps;
    double seconds;                /* of speech that fit; 0 for raw */
} ut_capacity_row;

typedef struct ut_capacity_report {
    char message[512];
    uint32_t width, height;        /* of the picture as it would be sent */
    size_t payload_nbytes;         /* that fit at min_psnr_db */
    double net_bpp, psnr_db, code_rate, worst_ber;
    ut_capacity_row rows[16];
    size_t nrows;
    ut_trade trade[UT_TRADE_MAX];  /* by growing PSNR */
    size_t ntrade;
} ut_capacity_report;

/* What fits in this photo through opt->channels at opt->min_psnr_db, measured by a trial embedding. */
UT_API UT_MUST_CHECK ut_status ut_capacity(const uint8_t *photo, size_t nphoto, const ut_hide_options *opt,
                                           ut_capacity_report *rep);

/* What a channel makes of a picture: the last codec's file, or a PNG where the channel ends without one.
 * message: 512 bytes, may be NULL. */
UT_API UT_MUST_CHECK ut_status ut_channel_run(const uint8_t *image, size_t nimage, const char *channel,
                                              const char *profile_dir, ut_blob *out, char *message);

typedef struct ut_comparison {
    int is_audio;                  /* decides which figures below are meant */
    double psnr_db, ssim;          /* RGB PSNR (infinity: equal); luma SSIM, Wang et al. 2004 */
    double si_sdr_db, stoi;        /* Le Roux et al. 2019; Taal et al. 2011 */
    int identical;                 /* every pixel or sample equal */
} ut_comparison;
UT_API UT_MUST_CHECK ut_status ut_compare(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, ut_comparison *c,
                                          char *message);

/* A new key file: text, one line, 256 random bits. */
UT_API UT_MUST_CHECK ut_status ut_keygen(ut_blob *out);

#ifdef __cplusplus
}
#endif
#endif
