// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { Button } from '~/ui/Button';

afterEach(cleanup);

it('a button that is busy keeps the keyboard’s focus, and does nothing', () => {
  const [pressed, sent] = [vi.fn(), vi.fn((event: { preventDefault: () => void }) => event.preventDefault())];
  const form = (busy: boolean) => <form onSubmit={sent}><Button type="submit" busy={busy} onClick={pressed}>Save</Button></form>;
  const { rerender } = render(form(false));
  const button = screen.getByRole('button');
  button.focus();
  fireEvent.click(button);
  rerender(form(true));
  expect(document.activeElement).toBe(button);
  expect(button.getAttribute('aria-busy')).toBe('true');
  fireEvent.click(button);
  expect([pressed.mock.calls.length, sent.mock.calls.length]).toEqual([1, 1]);
  rerender(form(false));
  fireEvent.click(button);
  expect([pressed.mock.calls.length, sent.mock.calls.length]).toEqual([2, 2]);
});
