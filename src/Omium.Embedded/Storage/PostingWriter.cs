using System.Buffers.Binary;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Writes what rows are found by, inside the writer's transaction: a posting for each term, and the terms with the row, to take them out again.</summary>
internal sealed class PostingWriter(SqliteConnection connection)
{
    private const int TermBytes = sizeof(long);

    private readonly SqliteStatement select = connection.Prepare("SELECT terms FROM index_row WHERE tenant = ?1 AND kind = ?2 AND id = ?3");
    private readonly SqliteStatement update = connection.Prepare("UPDATE index_row SET terms = ?4 WHERE tenant = ?1 AND kind = ?2 AND id = ?3");
    private readonly SqliteStatement insert = connection.Prepare("INSERT OR IGNORE INTO search_term (term, created_unix_ms, id) VALUES (?1, ?2, ?3)");
    private readonly SqliteStatement delete = connection.Prepare("DELETE FROM search_term WHERE term = ?1 AND created_unix_ms = ?2 AND id = ?3");
    private readonly SqliteStatement selectOfExecution = connection.Prepare(
        "SELECT kind, id, created_unix_ms, terms FROM index_row WHERE tenant = ?1 AND kind = 'execution' AND id = ?2 AND terms <> x'' "
        + "UNION ALL SELECT kind, id, created_unix_ms, terms FROM index_row WHERE tenant = ?1 AND kind = ?3 AND kind <> 'execution' AND execution = ?2 AND terms <> x''");

    /// <summary>Adds terms to those that the row has.</summary>
    public void Add(IndexRow row, IReadOnlyList<long> terms)
    {
        var known = Read(row);
        var added = terms.Except(Terms(known)).ToArray();
        if (added.Length == 0)
        {
            return;
        }

        var all = new byte[known.Length + (added.Length * TermBytes)];
        known.CopyTo(all, 0);
        for (var place = 0; place < added.Length; place++)
        {
            BinaryPrimitives.WriteInt64BigEndian(all.AsSpan(known.Length + (place * TermBytes)), added[place]);
            insert.Bind(1, added[place]).Bind(2, row.CreatedUnixMs).Bind(3, row.Id).Run();
        }

        update.Bind(1, row.Tenant).Bind(2, row.Kind).Bind(3, row.Id).Bind(4, all).Run();
    }

    /// <summary>Takes out every posting of an execution and of its failures.</summary>
    public void Erase(StreamId execution)
    {
        var rows = new List<(string Kind, string Id, long Created, byte[] Terms)>();
        try
        {
            selectOfExecution.Bind(1, execution.Tenant).Bind(2, execution.Id).Bind(3, IndexKinds.Failure);
            while (selectOfExecution.Step())
            {
                rows.Add((selectOfExecution.Text(0), selectOfExecution.Text(1), selectOfExecution.Int64(2), selectOfExecution.Bytes(3)));
            }
        }
        finally
        {
            selectOfExecution.Reset();
        }

        foreach (var (kind, id, created, terms) in rows)
        {
            foreach (var term in Terms(terms))
            {
                delete.Bind(1, term).Bind(2, created).Bind(3, id).Run();
            }

            update.Bind(1, execution.Tenant).Bind(2, kind).Bind(3, id).Bind(4, ReadOnlySpan<byte>.Empty).Run();
        }
    }

    private byte[] Read(IndexRow row)
    {
        try
        {
            return select.Bind(1, row.Tenant).Bind(2, row.Kind).Bind(3, row.Id).Step() ? select.Bytes(0) : [];
        }
        finally
        {
            select.Reset();
        }
    }

    private static IEnumerable<long> Terms(byte[] bytes)
    {
        for (var place = 0; place < bytes.Length; place += TermBytes)
        {
            yield return BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(place));
        }
    }
}
