/* Default weights' bytes, taken into the object file by the assembler: C arrays of 4 MB take minutes to compile.
 * UT_BUILTIN_MODEL, UT_BUILTIN_GUIDE, UT_BUILTIN_INN: the files' paths, from CMake where the tree has them. */
#include "pipeline/model.h"

#define EMBED(symbol, file) \
    __asm__(".pushsection .rodata\n" \
            ".balign 64\n" \
            ".hidden " #symbol "_begin\n" \
            ".globl " #symbol "_begin\n" #symbol "_begin:\n" \
            ".incbin \"" file "\"\n" \
            ".hidden " #symbol "_end\n" \
            ".globl " #symbol "_end\n" #symbol "_end:\n" \
            ".byte 0\n" \
            ".popsection\n"); \
    extern const uint8_t symbol##_begin[] __attribute__((visibility("hidden"))); \
    extern const uint8_t symbol##_end[] __attribute__((visibility("hidden")))

#ifdef UT_BUILTIN_MODEL
EMBED(ut_model, UT_BUILTIN_MODEL);
#endif
#ifdef UT_BUILTIN_GUIDE
EMBED(ut_builtin_guide_file, UT_BUILTIN_GUIDE);
#endif
#ifdef UT_BUILTIN_INN
EMBED(ut_builtin_inn_file, UT_BUILTIN_INN);
#endif

const uint8_t *ut_builtin_model(size_t *nbytes)
{
#ifdef UT_BUILTIN_MODEL
    *nbytes = (size_t)((uintptr_t)ut_model_end - (uintptr_t)ut_model_begin);
    return ut_model_begin;
#else
    *nbytes = 0;
    return NULL;
#endif
}

const uint8_t *ut_builtin_guide(size_t *nbytes)
{
#ifdef UT_BUILTIN_GUIDE
    *nbytes = (size_t)((uintptr_t)ut_builtin_guide_file_end - (uintptr_t)ut_builtin_guide_file_begin);
    return ut_builtin_guide_file_begin;
#else
    *nbytes = 0;
    return NULL;
#endif
}

const uint8_t *ut_builtin_inn(size_t *nbytes)
{
#ifdef UT_BUILTIN_INN
    *nbytes = (size_t)((uintptr_t)ut_builtin_inn_file_end - (uintptr_t)ut_builtin_inn_file_begin);
    return ut_builtin_inn_file_begin;
#else
    *nbytes = 0;
    return NULL;
#endif
}
