using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>
/// Answers about executions that have ended, as bytes: they are read again and again, and nothing changes in them until somebody retries or forks on. Guarantees: never
/// older than the last record that this process has written, nor than <see cref="OmiumApiOptions.EndedAnswersKeptFor"/> where another has; all forgotten when one
/// execution is (<see cref="Advancer.Forget"/>); at most 64 MiB.
/// </summary>
internal sealed class EndedAnswers
{
    private const long BytesMax = 64 * 1024 * 1024;
    private const int AnswerBytesMax = 256 * 1024;
    private readonly ConcurrentDictionary<StreamId, Kept> _kept = new();
    private readonly Advancer _advancer;
    private readonly IOptions<OmiumApiOptions> _configured;
    private readonly TimeProvider _time;
    private long _bytes;

    public EndedAnswers(Advancer advancer, IOptions<OmiumApiOptions> configured, TimeProvider time)
    {
        (_advancer, _configured, _time) = (advancer, configured, time);
        advancer.Appended += (cell, _, _) => Remove(cell.Stream);
        advancer.Forgotten += _ => Clear(); // Seldom, and it may be an erasure: then its forks are erased with it.
    }

    /// <summary>The answer, or null.</summary>
    public byte[]? Find(StreamId stream)
    {
        if (!_kept.TryGetValue(stream, out var kept))
        {
            return null;
        }

        if (_time.GetElapsedTime(kept.Since) < _configured.Value.EndedAnswersKeptFor)
        {
            return kept.Answer;
        }

        Remove(stream);
        return null;
    }

    /// <summary>Keeps the answer that was made of a state after <paramref name="seq"/> records.</summary>
    public async ValueTask KeepAsync(StreamId stream, long seq, byte[] answer, CancellationToken cancellation)
    {
        if (answer.Length > AnswerBytesMax)
        {
            return;
        }

        if (Volatile.Read(ref _bytes) > BytesMax)
        {
            Clear();
        }

        if (_kept.TryAdd(stream, new Kept(answer, _time.GetTimestamp())))
        {
            Interlocked.Add(ref _bytes, answer.Length);
        }

        // A record that was written since the state was taken may have been told before the answer was here to be removed: look again, now that it is.
        if (await _advancer.FindAsync(stream, cancellation) is not { } cell || cell.Seq != seq)
        {
            Remove(stream);
        }
    }

    private void Clear()
    {
        _kept.Clear();
        Volatile.Write(ref _bytes, 0);
    }

    private void Remove(StreamId stream)
    {
        if (_kept.TryRemove(stream, out var kept))
        {
            Interlocked.Add(ref _bytes, -kept.Answer.Length);
        }
    }

    private sealed record Kept(byte[] Answer, long Since);
}
