/* The default model's bytes, taken into the object file by the assembler: C arrays of 4 MB take minutes to compile.
 * UT_BUILTIN_MODEL: the file's path, from CMake where the tree has one. */
#include "pipeline/model.h"

#ifdef UT_BUILTIN_MODEL
__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".hidden ut_model_begin\n"
        ".globl ut_model_begin\n"
        "ut_model_begin:\n"
        ".incbin \"" UT_BUILTIN_MODEL "\"\n"
        ".hidden ut_model_end\n"
        ".globl ut_model_end\n"
        "ut_model_end:\n"
        ".byte 0\n"
        ".popsection\n");
extern const uint8_t ut_model_begin[] __attribute__((visibility("hidden")));
extern const uint8_t ut_model_end[] __attribute__((visibility("hidden")));

const uint8_t *ut_builtin_model(size_t *nbytes)
{
    *nbytes = (size_t)((uintptr_t)ut_model_end - (uintptr_t)ut_model_begin);
    return ut_model_begin;
}
#else
const uint8_t *ut_builtin_model(size_t *nbytes)
{
    *nbytes = 0;
    return NULL;
}
#endif
