/* Hides a recording in a photo so that it survives WhatsApp, sends it through, gets it back, and compares.
 *     hide_and_reveal VOICE PHOTO
 * Build: cc hide_and_reveal.c $(pkg-config --cflags --libs undertone)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <undertone.h>

static ut_blob load(const char *path)
{
    static uint8_t room[1 << 26];
    FILE *f = fopen(path, "rb");
    ut_blob b = { NULL, f ? fread(room, 1, sizeof room, f) : 0 };
    if (f)
        fclose(f);
    b.data = malloc(b.nbytes + 1);
    if (b.data)
        memcpy(b.data, room, b.nbytes);
    return b;
}

int main(int argc, char **argv)
{
    const char *to[] = { "whatsapp" };
    ut_key key = { UT_KEY_PASSPHRASE, (const uint8_t *)"correct horse", 13 };
    ut_hide_options hide;
    ut_hide_report hidden = { 0 };
    ut_reveal_options reveal;
    ut_reveal_report revealed = { 0 };
    ut_blob sent = { 0 }, received = { 0 }, heard = { 0 };
    char message[512] = "";
    int equal = 0;

    if (argc != 3)
        return 2;
    ut_blob voice = load(argv[1]), photo = load(argv[2]);
    ut_hide_options_init(&hide);
    hide.channels = to;
    hide.nchannels = 1;
    hide.key = key;
    ut_reveal_options_init(&reveal);
    reveal.key = key;

    if (ut_hide(voice.data, voice.nbytes, photo.data, photo.nbytes, &hide, &sent, &hidden) != UT_OK)
        fprintf(stderr, "hide: %s\n", hidden.message);
    else if (ut_channel_run(sent.data, sent.nbytes, to[0], NULL, &received, message) != UT_OK)
        fprintf(stderr, "channel: %s\n", message);
    else if (ut_reveal(received.data, received.nbytes, &reveal, &heard, &revealed) != UT_OK)
        fprintf(stderr, "reveal: %s\n", revealed.message);
    else
        equal = heard.nbytes == hidden.preview.nbytes && !memcmp(heard.data, hidden.preview.data, heard.nbytes);
    printf("%.1f s of speech, %.2f dB, %s\n", hidden.audio_s, hidden.psnr_db,
           equal ? "back bit for bit" : "not the same");

    ut_hide_report_free(&hidden);
    ut_blob_free(&voice);
    ut_blob_free(&photo);
    ut_blob_free(&sent);
    ut_blob_free(&received);
    ut_blob_free(&heard);
    return !equal;
}
