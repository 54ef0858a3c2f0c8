using Omium.Azure.Blobs;
using Omium.Azure.Rest;
using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// Log, payloads, documents and listings in one storage account: rows in Tables, large values in Blobs. Any number of processes may share it.
/// </summary>
/// <remarks>
/// <para>Guarantees: what a store acknowledged is stored by the service (in three copies at least); places of a stream are taken once, by insert-only
/// rows; an operation whose answer was lost may be repeated.</para>
/// <para>Tables know no transaction across partitions, so an append is a row and what belongs to it comes before or after in a fixed order:
/// payloads, then the mark under which <see cref="AzureMaintenance"/> finds the stream, then the record with its listing rows inside, then the listings,
/// then (where nothing is owed any more) the mark is removed. A process that dies anywhere in between leaves a mark; the listing rows are in
/// the log and are put in order by the next append to the stream or by the sweeper, whichever comes first.</para>
/// </remarks>
public sealed class AzureStore
{
    private AzureStore(StorageAccount account, AzureStoreOptions options)
    {
        var tables = new TableService(account, options);
        var blobs = new BlobService(account, options);
        var records = new RecordTable(tables, blobs);
        var payloads = new AzurePayloadStore(blobs, records);
        var index = new AzureIndex(tables, options);
        var outbox = new Outbox(tables);
        Tables = tables;
        Blobs = blobs;
        Log = new AzureEventLog(records, payloads, index, new StreamMarks(tables, options.Time), outbox, options);
        (Payloads, Index, Outbox) = (payloads, index, outbox);
        Documents = new AzureDocumentStore(tables, blobs);
        Maintenance = new AzureMaintenance(tables, Log, options.Time);
    }

    /// <summary>The event log.</summary>
    public AzureEventLog Log { get; }

    /// <summary>The payloads.</summary>
    public AzurePayloadStore Payloads { get; }

    /// <summary>The documents.</summary>
    public AzureDocumentStore Documents { get; }

    /// <summary>The listings.</summary>
    public AzureIndex Index { get; }

    /// <summary>Streams that may hold events not yet published.</summary>
    public Outbox Outbox { get; }

    /// <summary>Puts in order what a process that died has left between two rows.</summary>
    public AzureMaintenance Maintenance { get; }

    internal TableService Tables { get; }

    internal BlobService Blobs { get; }

    /// <summary>Opens the account, making the tables and the container that are not there.</summary>
    /// <exception cref="StorageUnavailableException">The account does not answer, or refuses this identity.</exception>
    public static async Task<AzureStore> OpenAsync(StorageAccount account, AzureStoreOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(account);
        options ??= new AzureStoreOptions();
        if (options.Prefix.Length is < 1 or > 20 || !char.IsAsciiLetterLower(options.Prefix[0]) || !options.Prefix.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)))
        {
            throw new ArgumentException($"The prefix '{options.Prefix}' is not 1 to 20 lower-case letters and digits, a letter first.", nameof(options));
        }

        var store = new AzureStore(account, options);
        await Task.WhenAll(
            [.. TableNames.All.Select(table => store.Tables.CreateAsync(table, cancellation)), store.Blobs.CreateAsync(AzurePayloadStore.Container, cancellation)]);
        return store;
    }
}

/// <summary>The tables, without their prefix.</summary>
internal static class TableNames
{
    /// <summary>Records: partition = stream, row = place.</summary>
    public const string Log = "log";

    /// <summary>Listings: partition = tenant and kind.</summary>
    public const string Index = "index";

    /// <summary>Executions that may owe an effect: partition = tenant, row = execution.</summary>
    public const string Active = "active";

    /// <summary>Other streams whose listings may be behind.</summary>
    public const string Repair = "repair";

    /// <summary>Streams that may hold events not yet published.</summary>
    public const string Outbox = "outbox";

    /// <summary>Documents: partition = tenant and kind, row = id.</summary>
    public const string Documents = "documents";

    public static readonly string[] All = [Log, Index, Active, Repair, Outbox, Documents];

    /// <summary>The partition of a stream: <c>t.{tenant}.x.{id}</c>.</summary>
    public static string PartitionOf(StreamId stream) => $"t.{TableKeys.Of(stream.Tenant)}.x.{TableKeys.Of(stream.Id)}";
}
