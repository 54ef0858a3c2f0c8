import { Slider } from 'radix-ui';
import type { ExecutionView } from '~/api/types';
import { useState } from 'react';
import { clock } from '~/model/format';
import { Button } from '~/ui/Button';
import { MayButton } from '~/ui/may';
import { ForkPanel } from './ForkPanel';

interface TimeSliderProps {
  newest: ExecutionView;
  shown: ExecutionView;
  at: number | undefined;
  onTravel: (seq: number | undefined) => void;
}

/** The run's whole log as one line: at n everything below shows the state after n records. */
export function TimeSlider({ newest, shown, at, onTravel }: TimeSliderProps) {
  const [forking, setForking] = useState(false);
  const position = at ?? newest.seq;
  if (newest.seq < 2) return null;
  return (
    <section aria-label="Time" className={`flex flex-wrap items-center gap-x-5 gap-y-2 rounded-xl px-4 py-2.5 ${at === undefined ? 'bg-sunken' : 'bg-running-wash'}`}>
      <Button small weight="quiet" aria-label="One record back" disabled={position <= 1} onClick={() => onTravel(position - 1)}>←</Button>
      <Slider.Root min={1} max={newest.seq} step={1} value={[position]} onValueChange={([next]) => onTravel(next)} className="relative flex h-8 min-w-40 flex-1 touch-none items-center">
        <Slider.Track className="relative h-1 flex-1 rounded-full bg-edge"><Slider.Range className="absolute h-full rounded-full bg-ink" /></Slider.Track>
        <Slider.Thumb aria-label="Record" aria-valuetext={`Record ${position} of ${newest.seq}`} data-testid="time-slider" className="block size-5 rounded-full border-2 border-ink bg-surface" />
      </Slider.Root>
      <Button small weight="quiet" aria-label="One record on" disabled={position >= newest.seq} onClick={() => onTravel(position + 1)}>→</Button>
      <span className="text-[0.9rem]">
        {at === undefined
          ? <>Now, after record {newest.seq}</>
          : <>As it was after record <strong>{at}</strong> of {newest.seq}, {clock(shown.updated_at)}</>}
      </span>
      {at !== undefined && <Button small onClick={() => onTravel(undefined)} data-testid="back-to-now">Back to now</Button>}
      <MayButton scope="run" small weight="quiet" onClick={() => setForking(true)} data-testid="fork">Fork from here</MayButton>
      {forking && <ForkPanel view={newest} at={position} onClose={() => setForking(false)} />}
    </section>
  );
}
