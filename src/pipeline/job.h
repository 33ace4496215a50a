/* One call of ut_hide at work, handed from step to step. */
#ifndef UT_PIPELINE_JOB_H
#define UT_PIPELINE_JOB_H
#include "media/audio.h"
#include "media/image.h"
#include "pipeline/model.h"
#include "pipeline/report.h"
#include "pipeline/sender.h"

/* For measurements: how to hide, and what the forecast says of it afterwards. */
typedef struct ut_trial {
    bool plain;            /* the plain lattice even where the trellis code would be taken */
    double ideal_psnr_db;  /* of an ideal coder that hides the same payload in the same lattice (ut_sender_forecast_ideal); NAN: not known */
    double ideal_bpp;      /* what it would carry at the PSNR that was reached */
    double forecast_psnr_db; /* what was expected of these raw bits */
} ut_trial;

typedef struct ut_job {
    const ut_hide_options *opt;
    ut_hide_report *rep;
    ut_err *err;
    const uint8_t *voice;   /* borrowed */
    size_t nvoice;
    ut_picture cover;       /* at its final size */
    ut_picture marked;      /* the same with the synchronisation pattern, where a channel needs one */
    ut_sync sync;
    ut_image_info photo;
    ut_route route;
    ut_design design;
    ut_keyring ring;
    ut_guide *guide;        /* owned; NULL: none */
    ut_inn *inn;            /* the same */
    ut_sender sender;
    ut_forecast forecast;
    ut_pcm pcm, preview;
    ut_buf payload;
    ut_payload_info info;
    ut_picture lossless;    /* result of the LSB mode */
    ut_buf file;
    double min_psnr_db;
    ut_trial *trial;        /* NULL but in measurements; borrowed */
    struct ut_album *album; /* borrowed: the recording goes over several photos, and those above are not used; NULL: into one */
} ut_job;

/* The steps, in order; each reports itself. */
UT_MUST_CHECK ut_status ut_job_open_photo(ut_job *j, const uint8_t *photo, size_t n); /* decode, fit to the channels */
UT_MUST_CHECK ut_status ut_job_open_voice(ut_job *j);
UT_MUST_CHECK ut_status ut_job_prepare(ut_job *j);   /* lattice, forecast */
UT_MUST_CHECK ut_status ut_job_check_length(ut_job *j); /* UT_E_CAPACITY now for what the next two steps would refuse after long work */
UT_MUST_CHECK ut_status ut_job_enhance(ut_job *j);   /* the samples in j->pcm, in place */
UT_MUST_CHECK ut_status ut_job_encode_and_hide(ut_job *j); /* encode -> seal -> protect -> hide -> verify, best quality that fits */
UT_MUST_CHECK ut_status ut_job_hide(ut_job *j); /* its last part, for j->payload as it is */
UT_MUST_CHECK ut_status ut_job_write(ut_job *j);
void ut_job_free(ut_job *j);

/* ut_hide; trial may be NULL. */
UT_MUST_CHECK ut_status ut_hide_trial(const uint8_t *voice, size_t nvoice, const uint8_t *photo, size_t nphoto,
                                      const ut_hide_options *opt, ut_trial *trial, ut_blob *out, ut_hide_report *rep);
/* What is known of a photo's capacity once the job is prepared. */
typedef struct ut_room {
    ut_forecast forecast;
    bool lossless, noisy; /* low bits; a channel whose quantisers are not known */
    uint32_t width, height;
} ut_room;
ut_room ut_job_room(const ut_job *j);
size_t ut_room_nbytes(const ut_room *r, double psnr_db);

/* Payload bytes that are expected to fit at that PSNR. */
size_t ut_job_budget(const ut_job *j, double psnr_db);
size_t ut_lsb_job_capacity(uint32_t width, uint32_t height); /* sealed bits */
UT_MUST_CHECK ut_status ut_hide_lsb(ut_job *j); /* payload into j->lossless */
bool ut_job_cancelled(const ut_job *j, const char *step, double done);
#endif
