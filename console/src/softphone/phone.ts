import type { Call as SdkCall, Device as SdkDevice } from '@twilio/voice-sdk';

export type SoftphoneState = {
  phase: 'off' | 'starting' | 'ready' | 'ringing' | 'talking' | 'broken';
  /** Who rings, E.164; null while nobody does. */
  from: string | null;
  /** What is wrong with the line, in words. */
  warning: string | null;
};

const OFF: SoftphoneState = { phase: 'off', from: null, warning: null };

const WARNINGS: Record<string, string> = {
  'high-rtt': 'The network is slow',
  'low-mos': 'The sound is poor',
  'high-jitter': 'The network is uneven',
  'high-packet-loss': 'Parts of the sound are lost',
  'constant-audio-input-level': 'The microphone hears nothing',
  'ice-connectivity-lost': 'The connection was lost and is being found again',
};

/**
 * The telephone in the browser. A rep's own calls ring it too, since every call is a conference that its rep joins:
 * those it answers by itself. Anything else rings until somebody answers.
 */
export class Softphone {
  private device: SdkDevice | null = null;
  private call: SdkCall | null = null;
  private state: SoftphoneState = OFF;
  private listeners = new Set<() => void>();
  /** Whether a call that rings now is one that this person asked for. */
  expects: () => boolean = () => false;

  constructor(private readonly token: () => Promise<string>) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): SoftphoneState => this.state;

  async start(): Promise<void> {
    if (this.device) return;
    this.become({ phase: 'starting', from: null, warning: null });
    try {
      // The SDK is large; whoever talks on another telephone never loads it.
      const { Device } = await import('@twilio/voice-sdk');
      const device = new Device(await this.token(), { closeProtection: true, logLevel: 'error' });
      this.device = device;
      device.on('registered', () => this.become({ phase: 'ready', from: null, warning: null }));
      device.on('error', (error: { message: string }) =>
        this.become({ phase: 'broken', from: null, warning: error.message }),
      );
      device.on('tokenWillExpire', async () => device.updateToken(await this.token()));
      device.on('incoming', (call: SdkCall) => this.ring(call));
      await device.register();
    } catch (error) {
      this.device = null;
      const warning = error instanceof Error ? error.message : 'The telephone in the browser could not start';
      this.become({ phase: 'broken', from: null, warning });
    }
  }

  stop(): void {
    this.device?.destroy();
    this.device = null;
    this.call = null;
    this.become(OFF);
  }

  answer(): void {
    this.call?.accept();
  }

  reject(): void {
    this.call?.reject();
  }

  /** Microphones or loudspeakers to choose from. */
  devices(kind: 'audioinput' | 'audiooutput'): MediaDeviceInfo[] {
    const audio = this.device?.audio;
    const found = kind === 'audioinput' ? audio?.availableInputDevices : audio?.availableOutputDevices;
    return [...(found?.values() ?? [])];
  }

  async choose(kind: 'audioinput' | 'audiooutput', id: string): Promise<void> {
    const audio = this.device?.audio;
    if (kind === 'audioinput') await audio?.setInputDevice(id);
    else await audio?.speakerDevices.set(id);
  }

  private ring(call: SdkCall): void {
    this.call = call;
    call.on('accept', () => this.become({ phase: 'talking', from: null, warning: null }));
    call.on('warning', (name: string) =>
      this.become({ ...this.state, warning: WARNINGS[name] ?? 'The line is poor' }),
    );
    call.on('warning-cleared', () => this.become({ ...this.state, warning: null }));
    const over = () => {
      this.call = null;
      this.become({ phase: 'ready', from: null, warning: null });
    };
    for (const end of ['disconnect', 'cancel', 'reject', 'error'] as const) call.on(end, over);
    if (this.expects()) call.accept();
    else this.become({ phase: 'ringing', from: call.parameters.From ?? '', warning: null });
  }

  private become(state: SoftphoneState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
