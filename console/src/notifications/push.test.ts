import { expect, test } from 'vitest';
import { deviceName, fromBase64url } from './push';

test('devices have names by which people tell them apart', () => {
  const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36';
  expect(deviceName(`Mozilla/5.0 (Linux; Android 15) ${chrome}`)).toBe('Chrome on Android');
  expect(deviceName(`Mozilla/5.0 (Windows NT 10.0) ${chrome} Edg/140.0`)).toBe('Edge on Windows');
  expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')).toBe(
    'Safari on iPhone',
  );
  expect(deviceName('curl')).toBe('A browser on this device');
});

test('a key is read as browsers want it', () => {
  expect([...fromBase64url('-_8A')]).toEqual([251, 255, 0]);
  expect([...fromBase64url('AQ')]).toEqual([1]);
});
