// A V4L2 camera for machines without one: preloaded, it answers what OpenCV asks of /dev/video0.
// In: FAKE_CLIP, raw 640x480 YUYV frames; FAKE_UNPLUG=N fails after N frames, FAKE_STALL=N sleeps 30 s then,
// FAKE_BUSY refuses to open. Out: frames at about 30 a second; other sizes are grey.
// Knows nothing of fer-live. See check.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 4, BUFFER_BYTES = 1280 * 720 * 2, CLIP_BYTES = 640 * 480 * 2 };

static int camera = -1;
static unsigned width = 640, height = 480, given;
static int queue[BUFFERS], queued;

static int fail(int code) { return errno = code, -1; }

// A memory file stands for the device: mapping and polling it need no help.
static int open_camera(void) {
  if (getenv("FAKE_BUSY")) return fail(EBUSY);
  camera = memfd_create("camera", 0);
  queued = 0;
  return ftruncate(camera, (long)BUFFERS * BUFFER_BYTES) ? -1 : camera;
}

#define OPEN(name)                                                        \
  int name(const char *path, int flags, ...) {                            \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    int mode = va_arg(rest, int);                                         \
    va_end(rest);                                                         \
    if (!strcmp(path, "/dev/video0")) return open_camera();               \
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);        \
    return real(path, flags, mode);                                       \
  }
OPEN(open)
OPEN(open64)

#define OPEN_2(name)                                                      \
  int name(const char *path, int flags) {                                 \
    if (!strcmp(path, "/dev/video0")) return open_camera();               \
    int (*real)(const char *, int) = dlsym(RTLD_NEXT, #name);             \
    return real(path, flags);                                             \
  }
OPEN_2(__open_2)
OPEN_2(__open64_2)

static int is_due(const char *name) {
  const char *after = getenv(name);
  if (!after || given < (unsigned)atoi(after)) return 0;
  unsetenv(name);
  return 1;
}

static int give(struct v4l2_buffer *buffer) {
  static unsigned char frame[BUFFER_BYTES];
  if (is_due("FAKE_UNPLUG")) return fail(ENODEV);
  if (is_due("FAKE_STALL")) sleep(30);
  if (!queued) return fail(EAGAIN);
  usleep(33000);
  int index = queue[0];
  memmove(queue, queue + 1, --queued * sizeof *queue);
  memset(frame, 128, sizeof frame);
  FILE *clip = width == 640 && getenv("FAKE_CLIP") ? fopen(getenv("FAKE_CLIP"), "rb") : NULL;
  if (clip) {
    fseek(clip, 0, SEEK_END);
    long frames = ftell(clip) / CLIP_BYTES;
    fseek(clip, given % frames * CLIP_BYTES, SEEK_SET);
    if (fread(frame, 1, CLIP_BYTES, clip) != CLIP_BYTES) return fail(EIO);
    fclose(clip);
  }
  if (pwrite(camera, frame, sizeof frame, (long)index * BUFFER_BYTES) < 0) return -1;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  buffer->index = index;
  buffer->bytesused = width * height * 2;
  buffer->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_DONE;
  buffer->sequence = given++;
  buffer->length = BUFFER_BYTES;
  buffer->m.offset = index * BUFFER_BYTES;
  buffer->timestamp.tv_sec = now.tv_sec;
  buffer->timestamp.tv_usec = now.tv_nsec / 1000;
  return 0;
}

static int format(struct v4l2_format *wanted, int is_asked) {
  if (wanted->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
  struct v4l2_pix_format *pix = &wanted->fmt.pix;
  if (is_asked) {
    width = pix->width <= 320 ? 320 : pix->width <= 640 ? 640 : 1280;
    height = width == 1280 ? 720 : width * 3 / 4;
  }
  pix->width = width;
  pix->height = height;
  pix->pixelformat = V4L2_PIX_FMT_YUYV;
  pix->field = V4L2_FIELD_NONE;
  pix->bytesperline = width * 2;
  pix->sizeimage = width * height * 2;
  return 0;
}

int ioctl(int file, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (camera < 0 || file != camera) {
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return real(file, request, argument);
  }
  switch ((unsigned)request) {
    case VIDIOC_QUERYCAP: {
      struct v4l2_capability *it = argument;
      memset(it, 0, sizeof *it);
      strcpy((char *)it->card, "Fake camera");
      it->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      it->capabilities = it->device_caps | V4L2_CAP_DEVICE_CAPS;
      return 0;
    }
    case VIDIOC_ENUMINPUT: {
      struct v4l2_input *it = argument;
      it->type = V4L2_INPUT_TYPE_CAMERA;
      return it->index ? fail(EINVAL) : 0;
    }
    case VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
    case VIDIOC_G_FMT: return format(argument, 0);
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT: return format(argument, 1);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
      struct v4l2_captureparm *it = &((struct v4l2_streamparm *)argument)->parm.capture;
      it->capability = V4L2_CAP_TIMEPERFRAME;
      it->timeperframe = (struct v4l2_fract){1, 30};
      return 0;
    }
    case VIDIOC_REQBUFS: {
      struct v4l2_requestbuffers *it = argument;
      if (it->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
      if (it->count > BUFFERS) it->count = BUFFERS;
      queued = 0;
      return 0;
    }
    case VIDIOC_QUERYBUF: {
      struct v4l2_buffer *it = argument;
      it->length = BUFFER_BYTES;
      it->m.offset = it->index * BUFFER_BYTES;
      return 0;
    }
    case VIDIOC_QBUF:
      if (queued == BUFFERS) return fail(EINVAL);
      queue[queued++] = ((struct v4l2_buffer *)argument)->index;
      return 0;
    case VIDIOC_DQBUF: return give(argument);
    case VIDIOC_S_INPUT:
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF: return 0;
    default: return fail(EINVAL);
  }
}
