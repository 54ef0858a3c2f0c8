import { useMemo } from 'react';
import type { ExecutionView, StepView } from '~/api/types';
import { count, duration } from '~/model/format';
import { lanes, ticks, type Bar, type Lane } from '~/model/lanes';
import { isEnded, stepLook } from '~/model/status';
import { Empty } from '~/ui/states';
import { useNow } from '~/ui/time';
import { visitId } from './chosen';

const fills = { quiet: 'bg-edge', running: 'bg-running', good: 'bg-good', wait: 'bg-wait', bad: 'bg-bad' } as const;

/** Who worked when: a lane for each agent, tool and worker on one line of time. */
export function LanesTab({ view, steps, chosen, travelled, onChoose }: { view: ExecutionView; steps: StepView[]; chosen: string | undefined; travelled: boolean; onChoose: (step: StepView) => void }) {
  const live = !travelled && !isEnded(view.status);
  const now = useNow(live ? 1_000 : 3_600_000);
  const until = live ? now : Date.parse(view.ended_at ?? view.updated_at);
  const drawn = useMemo(() => lanes(steps, Date.parse(view.created_at), until), [steps, view.created_at, until]);
  if (drawn.lanes.length === 0) return <Empty title="No step has been scheduled yet">Lanes appear as agents, tools and workers begin.</Empty>;
  const marks = ticks(drawn.spanMs);
  const place = (ms: number) => `${(ms / drawn.spanMs) * 100}%`;
  return (
    <div className="flex flex-col gap-3">
      <div className="card overflow-x-auto">
        <div className="grid min-w-[640px] grid-cols-[minmax(7rem,11rem)_minmax(0,1fr)]">
          <div className="border-b border-line bg-surface px-4 py-2 text-[0.82rem] text-ink-2">{duration(drawn.spanMs)} in all</div>
          <div aria-hidden="true" className="relative mr-4 h-9 border-b border-line">
            {marks.map((ms) => <span key={ms} className={`absolute top-2 font-mono text-[0.75rem] text-ink-3 ${ms === 0 ? '' : '-translate-x-1/2'}`} style={{ left: place(ms) }}>{ms === 0 ? '0' : duration(ms)}</span>)}
          </div>
          {drawn.lanes.map((lane) => <LaneRow key={lane.actor} lane={lane} marks={marks} place={place} chosen={chosen} onChoose={onChoose} />)}
        </div>
      </div>
      <p className="flex flex-wrap gap-x-5 gap-y-1 text-[0.87rem] text-ink-2">
        <Legend className="bg-good" label="committed" /><Legend className="bg-running" label="at work" /><Legend className="bg-wait" label="waits" /><Legend className="bg-bad" label="failed" />
        <Legend className="bg-edge lane-undone" label="rolled back or skipped" /><span><span aria-hidden="true" className="mr-1.5 inline-block size-2.5 rotate-45 border-2 border-surface bg-bad align-middle" />an attempt failed</span>
      </p>
    </div>
  );
}

function Legend({ className, label }: { className: string; label: string }) {
  return <span><span aria-hidden="true" className={`mr-1.5 inline-block h-2.5 w-5 rounded-[3px] align-middle ${className}`} />{label}</span>;
}

interface LaneRowProps {
  lane: Lane;
  marks: number[];
  place: (ms: number) => string;
  chosen: string | undefined;
  onChoose: (step: StepView) => void;
}

function LaneRow({ lane, marks, place, chosen, onChoose }: LaneRowProps) {
  return (
    <>
      <div className="min-w-0 border-b border-line px-4 py-2.5">
        <span className="block truncate font-semibold" title={lane.actor}>{lane.actor}</span>
        <span className="text-[0.8rem] text-ink-2">{count(lane.visits, 'visit')}</span>
      </div>
      <ul aria-label={`Lane of ${lane.actor}`} className="relative mr-4 flex flex-col justify-center gap-1 border-b border-line py-2">
        <li aria-hidden="true" className="contents">{marks.slice(1).map((ms) => <span key={ms} className="pointer-events-none absolute inset-y-0 border-l border-dashed border-line" style={{ left: place(ms) }} />)}</li>
        {lane.rows.slice(0, 12).map((row, index) => (
          <li key={index} className="relative h-6">
            {row.map((bar) => <BarButton key={`${bar.step.step}-${bar.step.visit}`} bar={bar} place={place} chosen={chosen} onChoose={onChoose} />)}
          </li>
        ))}
        {lane.rows.length > 12 && <li className="text-[0.8rem] text-ink-2">and {count(lane.rows.length - 12, 'row')} more at the same time</li>}
      </ul>
    </>
  );
}

function BarButton({ bar, place, chosen, onChoose }: { bar: Bar; place: (ms: number) => string; chosen: string | undefined; onChoose: (step: StepView) => void }) {
  const { step } = bar;
  const width = `max(6px, calc(${place(bar.to)} - ${place(bar.from)}))`;
  const name = bar.visits > 1 ? `${count(bar.visits, 'visit')} around ${step.step}` : `${step.step}${step.visit > 1 ? `, visit ${step.visit}` : ''}`;
  const label = `${name}: ${stepLook(bar.status).label.toLowerCase()}, ${duration(bar.to - bar.from)}${bar.failedAt.length > 0 ? `, ${count(bar.failedAt.length, 'failed attempt')}` : ''}`;
  const isUndone = bar.status === 'rolled_back' || bar.status === 'skipped';
  return (
    <>
      <button
        type="button" data-list-item aria-label={label} title={label} aria-pressed={chosen === visitId(step)} onClick={() => onChoose(step)}
        className={`absolute inset-y-0 overflow-hidden rounded-[5px] px-1.5 text-left text-[0.75rem] font-semibold whitespace-nowrap text-surface aria-pressed:outline-2 aria-pressed:outline-offset-2 aria-pressed:outline-focus ${fills[bar.tone]} ${isUndone ? 'lane-undone' : ''} ${bar.open && bar.tone === 'running' ? 'rounded-r-none' : ''}`}
        style={{ left: `min(${place(bar.from)}, calc(100% - 6px))`, width }}
      >
        <span aria-hidden="true">{bar.visits === 1 ? step.step : ''}</span>
      </button>
      {bar.failedAt.map((at) => <span key={at} aria-hidden="true" className="pointer-events-none absolute top-1/2 size-2.5 -translate-x-1/2 -translate-y-1/2 rotate-45 border-2 border-surface bg-bad" style={{ left: place(at) }} />)}
    </>
  );
}
