// The browser's cameras.
// In: which one is wanted. Out: its stream, or plain words why not.

const WISH = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Opens a camera; throws an Error whose message says what to do. */
export async function openCamera(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(noCameraHere());
  const video = deviceId ? { ...WISH, deviceId: { exact: deviceId } } : { ...WISH, facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new Error(inWords(error), { cause: error });
  }
}

/** The cameras there are, with the names the browser tells. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const cameras = devices.filter((device) => device.kind === "videoinput");
  return cameras.map((camera, i) => ({ id: camera.deviceId, name: camera.label || `Camera ${i + 1}` }));
}

function noCameraHere() {
  return window.isSecureContext
    ? "This browser cannot open cameras. Photos and videos still work."
    : "Browsers open the camera only for pages on this machine or over https. " +
        `Forward the port and open localhost instead: ssh -L ${location.port || 80}:localhost:${location.port || 80} ${location.hostname}. ` +
        "Photos and videos still work.";
}

/** What happened and what to do, by the names of the Media Capture specification. */
function inWords(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The camera was not allowed. Allow it in the address bar's camera symbol or in the system's privacy settings, then start again.";
    case "NotFoundError":
      return "No camera was found. Plug one in, then start again. Photos and videos work without one.";
    case "NotReadableError":
    case "AbortError":
      return "The camera is taken by another program or does not answer. Close the other program, then start again.";
    case "OverconstrainedError":
      return "The chosen camera is gone. Choose another, then start again.";
    case "SecurityError":
      return "The browser's settings forbid cameras on this page.";
    default:
      return `The camera could not be opened: ${error.message || error.name}`;
  }
}
