using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>
/// <c>GET /v1/executions/{id}/stream</c>: server-sent events (WHATWG HTML, section 9.2). Event <c>record</c> with id = seq; event <c>delta</c> for
/// pieces of a model's answer while it streams in (no id, never stored). Resumes after <c>Last-Event-ID</c> or <c>?after=</c>. Guarantee: every record
/// after that point, once, in order; what the feed drops for a slow reader, and what other processes wrote, is read from the log. Where the host cuts long
/// answers off, a stream ends by itself before (<see cref="OmiumApiOptions.StreamFor"/>).
/// </summary>
internal static class ExecutionStreamEndpoints
{
    public static void Map(ApiRoutes routes) =>
        routes.Map("GET", "/v1/executions/{id}/stream", StreamAsync).As("stream_events", "Records as they are written: server-sent events `record` (id = seq) and `delta`.")
        .QueryInteger("after", "Records after this one.", 0, long.MaxValue, 0).Header("Last-Event-ID", "Records after this one; goes before `after`.")
        .Answers(200, "text/event-stream", "Every record once, in order.").Refuses("too_many_listeners");

    private static async Task StreamAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || await TryAfterAsync(call) is not { } after)
        {
            return;
        }

        var options = call.Services.Options;
        using var listener = call.Services.Feed.TryListen(cell.Stream, options.StreamListenersMax, options.StreamListenersPerTenantMax);
        if (listener is null)
        {
            call.Context.Response.Headers.RetryAfter = "5";
            await call.ProblemAsync(
                "too_many_listeners", $"At most {options.StreamListenersMax} event streams are open at a time, of which at most {options.StreamListenersPerTenantMax} of one tenant.");
            return;
        }

        var response = call.Context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // Proxies would hold the events back.
        await new StreamSession(call, cell, listener, after).RunAsync();
    }

    private static async ValueTask<long?> TryAfterAsync(ApiCall call)
    {
        var last = call.Request.Headers["Last-Event-ID"].ToString();
        return last.Length > 0 && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? seq
            : await call.TryIntegerAsync("after", 0, 0, long.MaxValue);
    }

    private sealed class StreamSession(ApiCall call, ExecutionCell execution, ExecutionFeed.Listener listener, long after)
    {
        /// <summary>A page is in memory while a slow reader takes it, for each of them: small, so that many slow readers are no matter.</summary>
        private const int PageRecords = 16;
        private readonly HttpResponse _response = call.Context.Response;
        private readonly ApiServices _services = call.Services;
        private long _sent = after;
        private readonly long _openedAt = call.Services.Time.GetTimestamp();
        private long _allowedAt = call.Services.Time.GetTimestamp();
        private long _wroteAt = call.Services.Time.GetTimestamp();

        public async Task RunAsync()
        {
            await _response.WriteAsync(_services.Options.StreamFor is null ? ": open\n\n" : ": open\nretry: 500\n\n", call.Cancellation);
            await _response.Body.FlushAsync(call.Cancellation);
            await CatchUpAsync(long.MaxValue);
            while (true)
            {
                var isEnded = await IsEndedAsync();
                if (!await WaitAsync(isEnded ? _services.Options.StreamLinger : NextLook()))
                {
                    if (isEnded)
                    {
                        return;
                    }

                    await LookAsync();
                }

                while (listener.Items.TryRead(out var item))
                {
                    await SendAsync(item);
                }

                await _response.Body.FlushAsync(call.Cancellation);
                if (!await IsStillAllowedAsync() || IsOver())
                {
                    return;
                }
            }
        }

        private bool IsOver() => _services.Options.StreamFor is { } most && _services.Time.GetElapsedTime(_openedAt) >= most;

        /// <summary>Until a comment is due, the log is to be looked at, or the stream is over, whichever is first.</summary>
        private TimeSpan NextLook()
        {
            var next = _services.Options.LookEvery is { } look && look < _services.Options.StreamHeartbeat ? look : _services.Options.StreamHeartbeat;
            return _services.Options.StreamFor is { } most && most - _services.Time.GetElapsedTime(_openedAt) is var left && left < next
                ? left > TimeSpan.Zero ? left : TimeSpan.Zero
                : next;
        }

        /// <summary>Nothing came: other processes may have written, and who reads wants to know that somebody is there.</summary>
        private async Task LookAsync()
        {
            if (_services.Options.LookEvery is not null)
            {
                await CatchUpAsync(long.MaxValue);
            }

            if (_services.Time.GetElapsedTime(_wroteAt) >= _services.Options.StreamHeartbeat)
            {
                _wroteAt = _services.Time.GetTimestamp();
                await _response.WriteAsync(": still here\n\n", call.Cancellation);
            }
        }

        /// <summary>Asked once a heartbeat: a stream is one long answer, and must not outlive a key that is revoked, a session or a membership that ends.</summary>
        private async ValueTask<bool> IsStillAllowedAsync()
        {
            if (_services.Time.GetElapsedTime(_allowedAt) < _services.Options.StreamHeartbeat)
            {
                return true;
            }

            _allowedAt = _services.Time.GetTimestamp();
            var (caller, _) = await _services.Authenticator.AuthenticateAsync(call.Context, call.Cancellation);
            return caller?.Tenant == call.Caller.Tenant && caller.Scopes.HasFlag(Access.Scopes.Read);
        }

        /// <summary>False when nothing came in this time.</summary>
        private async Task<bool> WaitAsync(TimeSpan limit)
        {
            if (listener.Items.TryPeek(out _))
            {
                return true;
            }

            using var overtime = new CancellationTokenSource(limit, _services.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation, overtime.Token);
            try
            {
                return await listener.Items.WaitToReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (!call.Cancellation.IsCancellationRequested)
            {
                return false;
            }
        }

        private async Task SendAsync(FeedItem item)
        {
            if (item.Record is { } record)
            {
                if (record.Seq > _sent + 1)
                {
                    await CatchUpAsync(record.Seq - 1);
                }

                if (record.Seq == _sent + 1)
                {
                    await (item.Body is { } body ? WriteAsync(record, body) : CatchUpAsync(record.Seq));
                }
            }
            else if (item.Delta is { } delta)
            {
                var piece = JsonSerializer.Serialize(new Dictionary<string, string> { ["effect"] = item.Effect!, ["text"] = delta }, DeltaJson.Default.DictionaryStringString);
                await _response.WriteAsync($"event: delta\ndata: {piece}\n\n", call.Cancellation);
            }
        }

        private async Task CatchUpAsync(long last)
        {
            while (_sent < last)
            {
                var page = await _services.Advancer.ReadAsync(execution.Stream, _sent, (int)Math.Min(PageRecords, last - _sent), call.Cancellation);
                foreach (var (record, body) in page)
                {
                    await WriteAsync(record, body);
                }

                await _response.Body.FlushAsync(call.Cancellation);
                if (page.Count < PageRecords)
                {
                    return;
                }
            }
        }

        private async Task WriteAsync(LogRecord record, RecordBody body)
        {
            var data = JsonSerializer.Serialize(EventViews.View(execution.Lineage, record, body), ContractJson.Default.EventRecord);
            await _response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"id: {record.Seq}\nevent: record\ndata: {data}\n\n"), call.Cancellation);
            _sent = record.Seq;
        }

        /// <summary>True when the execution has ended and everything was sent. A retry may reopen it: the client then connects again.</summary>
        private async Task<bool> IsEndedAsync() =>
            await _services.Advancer.FindAsync(execution.Stream, call.Cancellation) is { State.Ended: true } cell && _sent >= cell.Seq;
    }
}
