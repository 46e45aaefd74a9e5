/* Rounds to half precision without a header of the toolkit, which NVRTC would have to be told of. */
static __device__ unsigned short half_of(float value) {
    unsigned short half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}
