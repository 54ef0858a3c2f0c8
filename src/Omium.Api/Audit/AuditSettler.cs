using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Omium.Api.Sessions;
using Omium.Api.Tenants;
using Omium.Kernel.Executions;
using Omium.Runtime.Audit;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Audit;

/// <summary>
/// Writes the rows that executions owe to the audit trail: soon after each record, at the start for what a dead process left, and from time to time for
/// what another one did. Nothing depends on when it runs.
/// </summary>
internal sealed partial class AuditSettler(
    Advancer advancer, IIndex index, IDocumentStore documents, AuditTrail trail, AuditedStore store, AccountService accounts, SessionService sessions, RetentionService retention,
    TimeProvider time,
    ILogger<AuditSettler> logger) : BackgroundService
{
    private const int PageSize = 200;
    private static readonly TimeSpan RoundEvery = TimeSpan.FromMinutes(5);
    private readonly Channel<string> _tenants = Channel.CreateBounded<string>(new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Writes what executions of a tenant owe, the oldest first. When it returns, everything recorded before is in the trail.</summary>
    public async Task SettleAsync(string tenant, CancellationToken cancellation)
    {
        while (true)
        {
            var owed = new List<IndexRow>();
            string? cursor = null;
            do
            {
                var page = await index.QueryAsync(new IndexQuery(tenant, IndexKinds.Audit) { Status = ExecutionAudit.StatusOwed, Limit = PageSize, Cursor = cursor }, cancellation);
                owed.AddRange(page.Rows);
                cursor = page.NextCursor;
            }
            while (cursor is not null);

            var written = false;
            foreach (var row in Enumerable.Reverse(owed))
            {
                written |= await TryWriteAsync(row, cancellation);
            }

            if (!written)
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        advancer.Appended += Note;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await RoundAsync(stoppingToken);
                using var next = new CancellationTokenSource(RoundEvery, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, next.Token);
                await SettleAsTheyComeAsync(either.Token);
            }
        }
        catch (ObjectDisposedException)
        {
            // The store was closed: the next process settles the rest.
        }
        finally
        {
            advancer.Appended -= Note;
        }
    }

    private void Note(ExecutionCell cell, LogRecord record, RecordBody body)
    {
        if (ExecutionAudit.Owed(cell.State, record.Seq, body.Command, body.Events) is not null)
        {
            _tenants.Writer.TryWrite(cell.Stream.Tenant);
        }
    }

    private async Task SettleAsTheyComeAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach (var tenant in _tenants.Reader.ReadAllAsync(cancellation))
            {
                await TryAsync(() => SettleAsync(tenant, cancellation));
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Time for the next round, or for the end.
        }
    }

    private async Task RoundAsync(CancellationToken cancellation)
    {
        await TryAsync(() => store.SettleAllAsync(cancellation));
        foreach (var tenant in await TenantsAsync(cancellation))
        {
            await TryAsync(() => SettleAsync(tenant, cancellation));
            await TryAsync(() => retention.SweepAsync(tenant, cancellation));
        }

        await TryAsync(() => sessions.SweepAsync(cancellation));
        await TryAsync(() => accounts.SweepAsync(cancellation));
    }

    /// <summary>Every tenant that something is stored of here: those that were founded, and those that only have keys (a local installation's).</summary>
    private async Task<IReadOnlyCollection<string>> TenantsAsync(CancellationToken cancellation)
    {
        var tenants = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var kind in (string[])["tenant", "key"])
        {
            string? after = null;
            IReadOnlyList<StoredDocument> page;
            do
            {
                page = await documents.ListAsync("", kind, "", after, PageSize, cancellation);
                foreach (var stored in page)
                {
                    tenants.Add(kind == "tenant" ? stored.Key.Id : Keys.KeyService.TenantOf(stored));
                }

                after = page.Count > 0 ? page[^1].Key.Id : after;
            }
            while (page.Count == PageSize);
        }

        return tenants;
    }

    /// <summary>
    /// The same, but an execution that cannot be read keeps its row owed and holds up nobody else's: one damaged record must not close the trail.
    /// </summary>
    private async Task<bool> TryWriteAsync(IndexRow row, CancellationToken cancellation)
    {
        try
        {
            return await WriteAsync(row, cancellation);
        }
        catch (Exception error) when (error is CorruptLogException or ExecutionSetAsideException or System.Security.Cryptography.CryptographicException)
        {
            LogUnreadable(logger, row.Execution, error);
            return false;
        }
    }

    /// <summary>Writes one row; false when it is in the trail already.</summary>
    private async Task<bool> WriteAsync(IndexRow row, CancellationToken cancellation)
    {
        var stream = new StreamId(row.Tenant, row.Execution);
        var read = await advancer.ReadAsync(stream, ExecutionAudit.SeqOf(row) - 1, 1, cancellation);
        var entry = read.Count == 0 ? ExecutionAudit.ErasedEntryOf(row) : ExecutionAudit.EntryOf(row, read[0].Record, read[0].Body);
        return await trail.AppendAsync(row.Tenant, entry, [row with { Status = ExecutionAudit.StatusWritten }], cancellation) is not null;
    }

    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception error) when (error is StorageException or TimeoutException or CorruptLogException or System.Security.Cryptography.CryptographicException)
        {
            LogOwing(logger, error); // What is owed stays owed; the next round tries again.
        }
    }

    [LoggerMessage(3104, LogLevel.Warning, "{Execution} owes a row to the audit trail and cannot be read; the rows of others are written")]
    private static partial void LogUnreadable(ILogger logger, string execution, Exception error);

    [LoggerMessage(3103, LogLevel.Warning, "Audit rows are still owed")]
    private static partial void LogOwing(ILogger logger, Exception error);
}
